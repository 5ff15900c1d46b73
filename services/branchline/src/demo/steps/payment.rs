//! A credit transfer from Lion to Elephant, the net debit cap, and settlement.

use branchline_kernel::{IdSource, RandomIds};

use super::{Acts, Cast, sums};
use crate::demo::journey::{ELEPHANT, Journey, LION, Order};
use crate::demo::stage::Stage;

/// What the journey's payment amounts to.
const AMOUNT: &str = "125.50";

/// An order of the journey from Amina to Joseph.
pub(super) fn order<'a>(cast: &'a Cast, own: &'a str, amount: &'a str) -> Order<'a> {
    Order {
        own,
        request_id: RandomIds.next().to_string(),
        debtor: &cast.payer,
        creditor: &cast.payee,
        creditor_name: ELEPHANT.member.1,
        amount,
    }
}

/// Money moves once, the clearing accounts mirror each other.
pub(super) async fn pay(journey: &Journey, acts: &Acts, cast: &Cast) -> anyhow::Result<String> {
    let before = journey.available(&acts.lion_staff, &cast.payer).await?;
    let there = journey.available(&acts.elephant_staff, &cast.payee).await?;
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let paid = journey
        .pay(&cast.savanna, &acts.lion, &order(cast, &own, AMOUNT))
        .await?;
    let status = journey
        .final_status(&cast.savanna, &acts.lion, &paid.id, &paid.token)
        .await?;
    anyhow::ensure!(status == "ACCC", "the payment ended {status}");
    let after = journey.available(&acts.lion_staff, &cast.payer).await?;
    let here = journey.available(&acts.elephant_staff, &cast.payee).await?;
    let left = cents(&before)?.checked_sub(cents(&after)?);
    let came = cents(&here)?.checked_sub(cents(&there)?);
    anyhow::ensure!(
        left == Some(12_550) && came == left,
        "{before} → {after}, {there} → {here}"
    );
    let (_, at_lion) = sums(&journey.trial_balance(&acts.lion_staff).await?, "clearing")?;
    let (_, at_elephant) = sums(
        &journey.trial_balance(&acts.elephant_staff).await?,
        "clearing",
    )?;
    anyhow::ensure!(
        at_lion.checked_add(at_elephant) == Some(0),
        "clearing {at_lion} and {at_elephant}"
    );
    Ok(format!(
        "{AMOUNT} EUR left Amina ({before} → {after}) and reached Joseph ({there} → {here}): {status}"
    ))
}

/// Above the institution's net debit cap a payment is refused with its reason.
pub(super) async fn cap(
    stage: &Stage,
    journey: &Journey,
    acts: &Acts,
    cast: &Cast,
) -> anyhow::Result<String> {
    let limit = async |amount| {
        let arguments = [
            "--tenant",
            LION.slug,
            "--currency",
            "EUR",
            "--amount",
            amount,
        ];
        stage
            .operate(&[&["clearing", "cap"], arguments.as_slice()].concat())
            .await
    };
    limit("150.00").await?;
    let before = journey.available(&acts.lion_staff, &cast.payer).await?;
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let paid = journey
        .pay(&cast.savanna, &acts.lion, &order(cast, &own, "100.00"))
        .await?;
    let status = journey
        .final_status(&cast.savanna, &acts.lion, &paid.id, &paid.token)
        .await?;
    let after = journey.available(&acts.lion_staff, &cast.payer).await?;
    limit("100000.00").await?;
    anyhow::ensure!(
        status == "RJCT" && before == after,
        "{status}, {before} → {after}"
    );
    Ok(format!(
        "100.00 EUR above Lion's net debit cap ended {status}; {after} EUR are still available"
    ))
}

/// The clearing accounts are netted to zero.
pub(super) async fn settle(
    stage: &Stage,
    journey: &Journey,
    acts: &Acts,
) -> anyhow::Result<String> {
    let (_, owed) = sums(&journey.trial_balance(&acts.lion_staff).await?, "clearing")?;
    stage.operate(&["clearing", "settle"]).await?;
    for staff in [&acts.lion_staff, &acts.elephant_staff] {
        let (all, clearing) = sums(&journey.trial_balance(staff).await?, "clearing")?;
        anyhow::ensure!(
            all == 0 && clearing == 0,
            "after settling: books {all}, clearing {clearing}"
        );
    }
    Ok(format!(
        "clearing stood at {owed} cents at Lion; netted, it is 0 at both"
    ))
}

/// A decimal with two digits, in cents.
fn cents(amount: &str) -> anyhow::Result<i64> {
    Ok(amount.replace('.', "").parse()?)
}
