//! Members, accounts, opening deposits; and the books at the end.

use anyhow::Context;

use super::{Acts, sums};
use crate::demo::journey::{Account, Journey, Tenant};
use crate::demo::staff::Staff;
use crate::demo::stage::Stage;

/// Enrolls both members with an account each; Amina gets a second one.
pub(super) async fn open(
    journey: &Journey,
    acts: &Acts,
) -> anyhow::Result<(Account, Account, String)> {
    let payer = account(
        journey,
        &acts.lion,
        &acts.lion_staff,
        &["1000.00", "250.00"],
    )
    .await?;
    let payee = account(journey, &acts.elephant, &acts.elephant_staff, &["75.00"]).await?;
    let mut sum = Vec::new();
    for staff in [&acts.lion_staff, &acts.elephant_staff] {
        let (all, _) = sums(&journey.trial_balance(staff).await?, "")?;
        anyhow::ensure!(all == 0, "the books sum to {all}");
        sum.push(all);
    }
    let amount = journey.available(&acts.lion_staff, &payer).await?;
    Ok((
        payer,
        payee,
        format!(
            "Amina has {amount} EUR available; both trial balances sum to {}",
            sum.iter().sum::<i64>()
        ),
    ))
}

/// The member's first account: the one there is, or a new one.
async fn account(
    journey: &Journey,
    tenant: &Tenant,
    staff: &Staff,
    deposits: &[&str],
) -> anyhow::Result<Account> {
    if let Some(known) = journey.accounts_of_member(tenant).await?.into_iter().next() {
        return Ok(known);
    }
    let member = journey.enroll(staff, tenant).await?;
    let mut first = None;
    for deposit in deposits {
        let opened = journey.open_account(staff, &member, deposit).await?;
        first.get_or_insert(opened);
    }
    first.context("no deposit, no account")
}

/// Both books balance, the clearing accounts mirror each other, the verifier finds nothing.
pub(super) async fn books(stage: &Stage, journey: &Journey, acts: &Acts) -> anyhow::Result<String> {
    let (lion, at_lion) = sums(&journey.trial_balance(&acts.lion_staff).await?, "clearing")?;
    let (elephant, at_elephant) = sums(
        &journey.trial_balance(&acts.elephant_staff).await?,
        "clearing",
    )?;
    anyhow::ensure!(
        lion == 0 && elephant == 0,
        "the books sum to {lion} and {elephant}"
    );
    let mirrored = at_lion.checked_add(at_elephant) == Some(0);
    anyhow::ensure!(mirrored, "clearing stands at {at_lion} and {at_elephant}");
    let said = stage.operate(&["ledger", "verify"]).await?;
    let last = said.lines().last().unwrap_or_default();
    Ok(format!(
        "Lion's books sum to {lion}, Elephant's to {elephant}; verifier: {last}"
    ))
}
