//! Everybody and everything that a call may be made by or about: tokens of each kind, consents in
//! each state, payments, and third parties that are not let in.

use anyhow::Context;
use branchline::demo::{Browser, Call, Consent, ELEPHANT, Fintech, LION, Paid, sign_in_at};
use reqwest::Method;

use crate::rows;
use crate::scene::Scene;

/// The cast. Where nothing else is said, it is of Savanna Budget at Lion.
pub(crate) struct Cast {
    /// Own token for consents.
    pub(crate) ais: String,
    /// Own token for payments.
    pub(crate) pis: String,
    /// Own token that has expired.
    pub(crate) expired: String,
    /// A consent in force, with its token.
    pub(crate) consent: Consent,
    /// An account in it.
    pub(crate) resource: String,
    /// Its run of authentication.
    pub(crate) consent_run: String,
    /// A consent that waits for its member.
    pub(crate) waiting: String,
    /// A token for a consent that nobody has given, as only a forged row could make it.
    pub(crate) received: Consent,
    /// A consent that the member withdrew.
    pub(crate) revoked: Consent,
    /// An account in that one.
    pub(crate) revoked_resource: String,
    /// A consent whose last day has passed.
    pub(crate) ended: Consent,
    /// A payment that was approved, with its token.
    pub(crate) paid: Paid,
    /// Its run of authentication.
    pub(crate) paid_run: String,
    /// A payment that waits for its member.
    pub(crate) order: String,
    /// Another third party at Lion.
    pub(crate) other: Fintech,
    /// Its own tokens, for consents and for payments.
    pub(crate) others: [String; 2],
    /// Its consent in force.
    pub(crate) others_consent: Consent,
    /// Third parties that were let in and are no more: who, and a token of theirs.
    pub(crate) shut_out: [(&'static str, Fintech, String); 2],
    /// A third party that was never let in.
    pub(crate) stranger: Fintech,
    /// Own token at Elephant.
    pub(crate) elsewhere: String,
}

impl Cast {
    pub(crate) async fn gather(scene: &Scene) -> anyhow::Result<Self> {
        let (journey, lion, savanna) = (&scene.journey, &scene.lion, &scene.fintech);
        let schema = rows::schema(scene, LION.slug).await?;
        let other = scene.fintech("Other Budget", &[LION.slug]).await?;
        // Each newer consent ends the older one, so the one in force is made last.
        let revoked = journey.consent(savanna, lion).await?;
        let revoked_resource = resource(scene, &revoked).await?;
        withdraw(scene, &revoked.id).await?;
        let ended = journey.consent(savanna, lion).await?;
        let past = format!(
            "UPDATE g_{schema}.consent SET valid_until = valid_until - 400 WHERE id = '{}'",
            ended.id
        );
        anyhow::ensure!(rows::run(scene, &past).await? == 1, "no consent to age");
        let received = forged(scene, &schema).await?;
        let consent = journey.consent(savanna, lion).await?;
        let pis = savanna.own_token(LION.slug, "PIS").await?;
        let paid = journey
            .pay(savanna, lion, &scene.order(&pis, "2.00"))
            .await?;
        journey
            .final_status(savanna, lion, &paid.id, &paid.token)
            .await?;
        let order = journey
            .initiate(savanna, lion, &scene.order(&pis, "3.00"))
            .await?;
        let expired = savanna.own_token(LION.slug, "AIS").await?;
        age(scene, &schema, &expired).await?;
        let payment = format!("/payments/sepa-credit-transfers/{}", paid.id);
        Ok(Self {
            ais: consent.own.clone(),
            expired,
            resource: resource(scene, &consent).await?,
            consent_run: run_of(scene, &format!("/consents/{}", consent.id), &consent.own).await?,
            waiting: journey.create_consent(savanna, lion, &consent.own).await?,
            consent,
            received,
            revoked,
            revoked_resource,
            ended,
            paid_run: run_of(scene, &payment, &pis).await?,
            paid,
            order: order.expect(201)?.text("/paymentId")?,
            pis,
            others: [
                other.own_token(LION.slug, "AIS").await?,
                other.own_token(LION.slug, "PIS").await?,
            ],
            others_consent: journey.consent(&other, lion).await?,
            other,
            shut_out: [
                shut_out(
                    scene,
                    "one that the platform blocked",
                    "tpp SET blocked_at = now() WHERE id =",
                )
                .await?,
                shut_out(
                    scene,
                    "one that the tenant blocked",
                    "tenant_tpp SET blocked_at = now() WHERE tpp =",
                )
                .await?,
            ],
            stranger: scene.fintech("Stranger", &[]).await?,
            elsewhere: savanna.own_token(ELEPHANT.slug, "AIS").await?,
        })
    }
}

/// The first account that a consent opens.
async fn resource(scene: &Scene, consent: &Consent) -> anyhow::Result<String> {
    let list =
        Call::new(LION.slug, Method::GET, "/accounts", &consent.token).with_consent(&consent.id);
    scene
        .fintech
        .call(list)
        .await?
        .expect(200)?
        .text("/accounts/0/resourceId")
}

async fn run_of(scene: &Scene, of: &str, token: &str) -> anyhow::Result<String> {
    let list = Call::new(
        LION.slug,
        Method::GET,
        &format!("{of}/authorisations"),
        token,
    );
    scene
        .fintech
        .call(list)
        .await?
        .expect(200)?
        .text("/authorisationIds/0")
}

async fn withdraw(scene: &Scene, consent: &str) -> anyhow::Result<()> {
    let mut browser = Browser::new(scene.journey.http.clone());
    let login = browser.open(&scene.at("/t/lion/me")).await?;
    let page = sign_in_at(&mut browser, &login, LION.member.0).await?;
    let form = page.form(consent)?;
    let done = browser.submit(&page, &form, &[]).await?;
    anyhow::ensure!(done.text().contains("withdrawn"), "{}", done.text());
    Ok(())
}

/// No token names a consent that waits, unless its row was forged.
async fn forged(scene: &Scene, schema: &str) -> anyhow::Result<Consent> {
    let given = scene.journey.consent(&scene.fintech, &scene.lion).await?;
    let waits = scene
        .journey
        .create_consent(&scene.fintech, &scene.lion, &given.own)
        .await?;
    let forge = format!(
        "UPDATE g_{schema}.access_token SET scope = 'AIS:{waits}' WHERE scope = 'AIS:{}'",
        given.id
    );
    anyhow::ensure!(rows::run(scene, &forge).await? == 1, "no token to forge");
    Ok(Consent { id: waits, ..given })
}

/// Lets a token's life end.
pub(crate) async fn age(scene: &Scene, schema: &str, token: &str) -> anyhow::Result<()> {
    let age = format!(
        "UPDATE g_{schema}.access_token SET issued_at = issued_at - interval '1 day', \
         expires_at = expires_at - interval '1 day' WHERE hash = sha256('{token}')"
    );
    anyhow::ensure!(rows::run(scene, &age).await? == 1, "no token to age");
    Ok(())
}

async fn shut_out(
    scene: &Scene,
    who: &'static str,
    how: &str,
) -> anyhow::Result<(&'static str, Fintech, String)> {
    let fintech = scene.fintech(who, &[LION.slug]).await?;
    let token = fintech.own_token(LION.slug, "AIS").await?;
    let id = fintech
        .client_id()
        .strip_prefix("tpp-")
        .context("another form of id")?;
    let block = format!("UPDATE platform.{how} '{id}'");
    anyhow::ensure!(rows::run(scene, &block).await? == 1, "nobody to shut out");
    Ok((who, fintech, token))
}
