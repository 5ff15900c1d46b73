//! The journey's moves, in the words of the people who make them. The demo plays them; the tests
//! of crashes, leaks and access begin with them.

use std::time::Duration;

use anyhow::Context;
use branchline_kernel::{Clock, SystemClock};
use chrono::TimeDelta;
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::browser::{Browser, Page};
use super::fintech::{Answer, Begun, Call, Fintech, answer};
use super::platform::Platform;
use super::staff::{PASSWORD, Staff, sign_in_at};
use super::stage::Stage;

/// One of the two credit unions.
#[derive(Debug, Clone)]
pub struct Bank {
    /// Its name in addresses.
    pub slug: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// Its bank code.
    pub code: &'static str,
    /// The member of the journey.
    pub member: (&'static str, &'static str),
    /// Who works there: user name and name.
    pub supervisor: (&'static str, &'static str),
}

/// Lion Credit Union, where Amina banks.
pub const LION: Bank = Bank {
    slug: "lion",
    name: "Lion Credit Union",
    code: "70010001",
    member: ("amina", "Amina Otieno"),
    supervisor: ("tendai", "Tendai Moyo"),
};

/// Elephant SACCO, where Joseph banks.
pub const ELEPHANT: Bank = Bank {
    slug: "elephant",
    name: "Elephant SACCO",
    code: "70010002",
    member: ("joseph", "Joseph Banda"),
    supervisor: ("grace", "Grace Phiri"),
};

/// A tenant as `branchline tenant create` reported it, with its people signed in.
pub struct Tenant {
    /// Which of the two it is.
    pub bank: Bank,
    /// The issuer of its people.
    pub issuer: String,
    /// The member's subject there.
    pub member_subject: String,
}

/// An account that was opened in the journey.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its id in the core.
    pub id: String,
    /// Its IBAN.
    pub iban: String,
}

/// The journey as far as it has come.
pub struct Journey {
    /// The one client of everybody outside the platform.
    pub http: Client,
    /// The gateway's address.
    pub gateway: String,
    /// The core's address.
    pub core: String,
    platform: Option<Platform>,
}

/// Longest wait for a payment to come to its end.
const PAYMENT_WITHIN: Duration = Duration::from_secs(30);

impl Journey {
    /// Begins on a stage: starts the platform's processes.
    ///
    /// # Errors
    /// When they do not become ready.
    pub async fn begin(stage: &Stage, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let platform = Platform::start(stage.program(), environment).await?;
        Ok(Self {
            http: branchline_web::outbound_client()?,
            gateway: stage.gateway_url.clone(),
            core: stage.core_url.clone(),
            platform: Some(platform),
        })
    }

    /// The running processes.
    ///
    /// # Errors
    /// When they were stopped.
    pub fn platform(&mut self) -> anyhow::Result<&mut Platform> {
        self.platform.as_mut().context("the platform was stopped")
    }

    /// Kills the processes and starts them anew.
    ///
    /// # Errors
    /// When they do not become ready.
    pub async fn restart(
        &mut self,
        stage: &Stage,
        environment: &[(&str, &str)],
    ) -> anyhow::Result<()> {
        if let Some(platform) = self.platform.take() {
            platform.kill().await?;
        }
        self.platform = Some(Platform::start(stage.program(), environment).await?);
        Ok(())
    }

    /// Stops the processes in order.
    ///
    /// # Errors
    /// When one does not end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        match self.platform.take() {
            Some(platform) => platform.stop().await,
            None => Ok(()),
        }
    }

    /// Makes a tenant as an operator does.
    ///
    /// # Errors
    /// When the command fails.
    pub async fn create_tenant(&self, stage: &Stage, bank: &Bank) -> anyhow::Result<Tenant> {
        let person = |(username, full_name): (&str, &str), jobs: &[&str]| json!({ "username": username, "full_name": full_name, "jobs": jobs, "password": PASSWORD });
        let people = json!([
            person(bank.member, &["member"]),
            person(bank.supervisor, &["supervisor"])
        ]);
        let path = stage.directory.join(format!("{}-people.json", bank.slug));
        std::fs::write(&path, people.to_string())?;
        let path = path.display().to_string();
        let printed = stage
            .operate(&[
                "tenant",
                "create",
                "--slug",
                bank.slug,
                "--name",
                bank.name,
                "--country",
                "DE",
                "--currency",
                "EUR",
                "--bank-code",
                bank.code,
                "--people",
                &path,
            ])
            .await?;
        let made: Value = serde_json::from_str(&printed)?;
        let text = |pointer: &str| {
            let text = made.pointer(pointer).and_then(Value::as_str);
            text.map(str::to_owned)
                .with_context(|| format!("no {pointer} in {made}"))
        };
        Ok(Tenant {
            bank: bank.clone(),
            issuer: text("/issuer")?,
            member_subject: text("/people/0/subject")?,
        })
    }

    /// Signs the supervisor of a tenant in.
    ///
    /// # Errors
    /// When the realm refuses.
    pub async fn staff(&self, tenant: &Tenant) -> anyhow::Result<Staff> {
        Staff::sign_in(
            &self.http,
            &self.core,
            &tenant.issuer,
            tenant.bank.supervisor.0,
        )
        .await
    }

    /// The member's accounts, as the member's own token shows them.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn accounts_of_member(&self, tenant: &Tenant) -> anyhow::Result<Vec<Account>> {
        let member =
            Staff::sign_in(&self.http, &self.core, &tenant.issuer, tenant.bank.member.0).await?;
        let listed = member.get("/accounts").await?;
        if listed.status == 404 {
            return Ok(Vec::new());
        }
        let listed = listed.expect(200)?;
        let accounts = listed
            .body
            .pointer("/accounts")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        accounts.iter().map(account).collect()
    }

    /// Enrolls the member.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn enroll(&self, staff: &Staff, tenant: &Tenant) -> anyhow::Result<String> {
        let login = json!({ "issuer": tenant.issuer, "subject": tenant.member_subject });
        let member = json!({ "name": tenant.bank.member.1, "login": login });
        staff
            .post("/members", &member)
            .await?
            .expect(201)?
            .text("/member_id")
    }

    /// Opens an account and takes an opening deposit.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn open_account(
        &self,
        staff: &Staff,
        member: &str,
        deposit: &str,
    ) -> anyhow::Result<Account> {
        let new = json!({ "member_id": member, "currency": "EUR", "product": "current" });
        let opened = account(&staff.post("/accounts", &new).await?.expect(201)?.body)?;
        let amount = json!({ "amount": { "amount": deposit, "currency": "EUR" } });
        staff
            .post(&format!("/accounts/{}/deposits", opened.id), &amount)
            .await?
            .expect(201)?;
        Ok(opened)
    }

    /// What is available on an account, in its own decimals.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn available(&self, staff: &Staff, account: &Account) -> anyhow::Result<String> {
        let balances = staff
            .get(&format!("/accounts/{}/balances", account.id))
            .await?
            .expect(200)?;
        balances.text("/available/amount")
    }

    /// Creates a consent for one account and lets the member give it; the token comes back.
    ///
    /// # Errors
    /// When a party refuses.
    pub async fn consent(&self, fintech: &Fintech, tenant: &Tenant) -> anyhow::Result<Consent> {
        let own = fintech.own_token(tenant.bank.slug, "AIS").await?;
        let consent = self.create_consent(fintech, tenant, &own).await?;
        let begun = fintech
            .ask_for(tenant.bank.slug, &format!("AIS:{consent}"))
            .await?;
        let mut browser = Browser::new(self.http.clone());
        let code_page = self.choose_accounts(&mut browser, tenant, &begun).await?;
        let back = self.enter_code(&mut browser, tenant, &code_page).await?;
        let token = fintech.finish(tenant.bank.slug, &begun, &back).await?;
        Ok(Consent {
            id: consent,
            token,
            own,
        })
    }

    /// Creates a consent that nobody has given yet.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn create_consent(
        &self,
        fintech: &Fintech,
        tenant: &Tenant,
        own: &str,
    ) -> anyhow::Result<String> {
        let until = SystemClock
            .now()
            .checked_add_signed(TimeDelta::days(90))
            .context("no such day")?;
        let body = json!({
            "access": { "accounts": [], "balances": [], "transactions": [] },
            "recurringIndicator": true,
            "validUntil": until.format("%Y-%m-%d").to_string(),
            "frequencyPerDay": 4,
            "combinedServiceIndicator": false,
        });
        let call = Call::new(tenant.bank.slug, Method::POST, "/consents", own).with_body(body);
        fintech.call(call).await?.expect(201)?.text("/consentId")
    }

    /// The member signs in, chooses all accounts offered and approves; the page for the code comes.
    ///
    /// # Errors
    /// When a page is not as expected.
    pub async fn choose_accounts(
        &self,
        browser: &mut Browser,
        tenant: &Tenant,
        begun: &Begun,
    ) -> anyhow::Result<Page> {
        let login = browser.open(&begun.url).await?;
        let page = sign_in_at(browser, &login, tenant.bank.member.0).await?;
        let form = page.form("decision")?;
        let mut changes: Vec<_> = form
            .choices_of("account")
            .into_iter()
            .map(|account| ("account", account))
            .collect();
        changes.push(("decision", "approve"));
        browser.submit(&page, &form, &changes).await
    }

    /// The member reads the code from her phone and types it in.
    ///
    /// # Errors
    /// When a page is not as expected.
    pub async fn enter_code(
        &self,
        browser: &mut Browser,
        tenant: &Tenant,
        page: &Page,
    ) -> anyhow::Result<Page> {
        let code = self.code_on_phone(tenant).await?;
        let form = page.form("code")?;
        browser.submit(page, &form, &[("code", &code)]).await
    }

    /// The newest code on the member's phone.
    ///
    /// # Errors
    /// When there is none.
    pub async fn code_on_phone(&self, tenant: &Tenant) -> anyhow::Result<String> {
        let url = format!("{}/t/{}/phone", self.gateway, tenant.bank.slug);
        let page = Browser::new(self.http.clone()).open(&url).await?;
        let text = page.text();
        let is_code =
            |word: &&str| word.len() == 6 && word.bytes().all(|byte| byte.is_ascii_digit());
        let code = text.split(|c: char| !c.is_alphanumeric()).find(is_code);
        Ok(code
            .with_context(|| format!("no code on the phone: {text}"))?
            .to_owned())
    }

    /// Creates a payment.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn initiate(
        &self,
        fintech: &Fintech,
        tenant: &Tenant,
        order: &Order<'_>,
    ) -> anyhow::Result<Answer> {
        let call = Call::new(
            tenant.bank.slug,
            Method::POST,
            "/payments/sepa-credit-transfers",
            order.own,
        );
        fintech
            .call(Call {
                request_id: order.request_id.clone(),
                ..call.with_body(order.body())
            })
            .await
    }

    /// The member signs in and confirms a payment; the page for the code comes.
    ///
    /// # Errors
    /// When a page is not as expected.
    pub async fn confirm(
        &self,
        browser: &mut Browser,
        tenant: &Tenant,
        begun: &Begun,
    ) -> anyhow::Result<Page> {
        let opened = browser.open(&begun.url).await?;
        let page = match opened.form("decision") {
            Ok(_) => opened,
            Err(_) => sign_in_at(browser, &opened, tenant.bank.member.0).await?,
        };
        let form = page.form("decision")?;
        browser
            .submit(&page, &form, &[("decision", "approve")])
            .await
    }

    /// Pays: initiates, lets the member approve with her code, and gives id and token.
    ///
    /// # Errors
    /// When a party refuses.
    pub async fn pay(
        &self,
        fintech: &Fintech,
        tenant: &Tenant,
        order: &Order<'_>,
    ) -> anyhow::Result<Paid> {
        let id = self
            .initiate(fintech, tenant, order)
            .await?
            .expect(201)?
            .text("/paymentId")?;
        let begun = fintech
            .ask_for(tenant.bank.slug, &format!("PIS:{id}"))
            .await?;
        let mut browser = Browser::new(self.http.clone());
        let code_page = self.confirm(&mut browser, tenant, &begun).await?;
        let back = self.enter_code(&mut browser, tenant, &code_page).await?;
        let token = fintech.finish(tenant.bank.slug, &begun, &back).await?;
        Ok(Paid { id, token })
    }

    /// The status of a payment as the fintech sees it.
    ///
    /// # Errors
    /// When the gateway refuses.
    pub async fn status(
        &self,
        fintech: &Fintech,
        tenant: &Tenant,
        payment: &str,
        token: &str,
    ) -> anyhow::Result<String> {
        let path = format!("/payments/sepa-credit-transfers/{payment}/status");
        let call = Call::new(tenant.bank.slug, Method::GET, &path, token);
        fintech
            .call(call)
            .await?
            .expect(200)?
            .text("/transactionStatus")
    }

    /// Waits until a payment has come to an end.
    ///
    /// # Errors
    /// When it has not within 30 s.
    pub async fn final_status(
        &self,
        fintech: &Fintech,
        tenant: &Tenant,
        payment: &str,
        token: &str,
    ) -> anyhow::Result<String> {
        let wait = async {
            loop {
                let status = self.status(fintech, tenant, payment, token).await?;
                if matches!(status.as_str(), "ACCC" | "RJCT" | "CANC") {
                    return anyhow::Ok(status);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PAYMENT_WITHIN, wait)
            .await
            .context("the payment has not come to an end")?
    }

    /// Sum over the trial balance and what stands on the clearing account, in minor units.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn trial_balance(&self, staff: &Staff) -> anyhow::Result<Value> {
        Ok(staff.get("/trial-balance").await?.expect(200)?.body)
    }

    /// Reads a process's answer without a token.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn look(&self, url: &str) -> anyhow::Result<Answer> {
        answer(self.http.get(url)).await
    }
}

/// A consent that was given.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Its id.
    pub id: String,
    /// The token that reads with it.
    pub token: String,
    /// The fintech's own token at that tenant.
    pub own: String,
}

/// A payment that the member approved.
#[derive(Debug, Clone)]
pub struct Paid {
    /// Its id.
    pub id: String,
    /// The token that sees it.
    pub token: String,
}

/// What shall be paid.
#[derive(Debug, Clone)]
pub struct Order<'a> {
    /// The fintech's own token with scope `PIS`.
    pub own: &'a str,
    /// The id of the request.
    pub request_id: String,
    /// From.
    pub debtor: &'a Account,
    /// To.
    pub creditor: &'a Account,
    /// Whose account that is.
    pub creditor_name: &'a str,
    /// How much, in EUR.
    pub amount: &'a str,
}

impl Order<'_> {
    fn body(&self) -> Value {
        json!({
            "endToEndIdentification": format!("E2E-{}", self.request_id.chars().take(13).collect::<String>()),
            "debtorAccount": { "iban": self.debtor.iban },
            "instructedAmount": { "amount": self.amount, "currency": "EUR" },
            "creditorAccount": { "iban": self.creditor.iban },
            "creditorName": self.creditor_name,
            "remittanceInformationUnstructured": "Maize seed",
        })
    }
}

fn account(dto: &Value) -> anyhow::Result<Account> {
    let text = |name: &str| {
        let text = dto.get(name).and_then(Value::as_str);
        text.map(str::to_owned)
            .with_context(|| format!("no {name} in {dto}"))
    };
    Ok(Account {
        id: text("account_id")?,
        iban: text("iban")?,
    })
}
