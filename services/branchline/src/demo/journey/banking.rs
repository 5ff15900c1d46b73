//! Operators make tenants; staff enroll members, open accounts and take deposits.

use anyhow::Context;
use serde_json::{Value, json};

use super::Journey;
use crate::demo::staff::{PASSWORD, Staff};
use crate::demo::stage::Stage;

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

impl Journey {
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

    /// Sum over the trial balance and what stands on the clearing account, in minor units.
    ///
    /// # Errors
    /// When the core refuses.
    pub async fn trial_balance(&self, staff: &Staff) -> anyhow::Result<Value> {
        Ok(staff.get("/trial-balance").await?.expect(200)?.body)
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
