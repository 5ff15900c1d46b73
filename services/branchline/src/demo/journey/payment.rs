//! A member pays through a third party.

use std::time::Duration;

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Account, Journey, Tenant};
use crate::demo::browser::{Browser, Page};
use crate::demo::fintech::{Answer, Begun, Call, Fintech};
use crate::demo::staff::sign_in_at;

/// Longest wait for a payment to come to its end.
const PAYMENT_WITHIN: Duration = Duration::from_secs(30);

impl Journey {
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
            .submit(&page, &form, &[("decision", "continue")])
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
