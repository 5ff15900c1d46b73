//! A member gives a third party permission to read.

use anyhow::Context;
use branchline_kernel::{Clock, SystemClock};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use super::{Journey, Tenant};
use crate::demo::browser::{Browser, Page};
use crate::demo::fintech::{Begun, Call, Fintech};
use crate::demo::staff::sign_in_at;

impl Journey {
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
        changes.push(("decision", "continue"));
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
        browser
            .submit(
                page,
                &form,
                &[("code", code.as_str()), ("decision", "confirm")],
            )
            .await
    }

    /// The newest code on the member's phone.
    ///
    /// # Errors
    /// When there is none.
    pub async fn code_on_phone(&self, tenant: &Tenant) -> anyhow::Result<String> {
        let url = format!("{}/t/{}/phone", self.gateway, tenant.bank.slug);
        let page = Browser::new(self.http.clone()).open(&url).await?;
        let text = page.text();
        let code = text
            .split("Code: ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next());
        Ok(code
            .with_context(|| format!("no code on the phone: {text}"))?
            .to_owned())
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
