//! The ledger's operations and those of the books.

use anyhow::Context;
use branchline::demo::Staff;
use reqwest::Method;
use serde_json::{Value, json};

use super::core::Probe;

/// One probe per operation; what they name is made first.
pub(super) async fn probes(staff: &Staff) -> anyhow::Result<Vec<Probe>> {
    let (a, b) = (
        account(staff, "probe/a").await?,
        account(staff, "probe/b").await?,
    );
    let leg = |id: i64, side: &str| {
        let amount = json!({ "amount": "1.00", "currency": "EUR" });
        json!({ "ledger_account_id": id, "side": side, "amount": amount })
    };
    let posting = json!({ "kind": "correction", "legs": [leg(a, "debit"), leg(b, "credit")] });
    let posted = staff
        .post("/ledger/postings", &posting)
        .await?
        .expect(201)?;
    let posted = posted.text("/posting_id")?;
    let hold = json!({
        "ledger_account_id": a,
        "amount": { "amount": "1.00", "currency": "EUR" },
        "direction": "outgoing",
    });
    let held = staff.post("/ledger/holds", &hold).await?.expect(201)?;
    let held = held.text("/hold_id")?;
    let year = json!({ "first_day": "2040-01-01", "last_day": "2040-12-31" });
    let closing = json!({ "first_day": "2040-01-01" });
    let get =
        |operation, path: String| Probe::staff(operation, Method::GET, path, Value::Null, 200);
    let post = |operation, path: &str, body, status| {
        Probe::staff(operation, Method::POST, path.to_owned(), body, status)
    };
    Ok(vec![
        post(
            "openLedgerAccount",
            "/ledger/accounts",
            new_account("probe/c"),
            201,
        ),
        get("getLedgerAccount", format!("/ledger/accounts/{a}")),
        get("listLedgerEntries", format!("/ledger/accounts/{a}/entries")),
        post("postToLedger", "/ledger/postings", posting, 201),
        get("getPosting", format!("/ledger/postings/{posted}")),
        post(
            "reversePosting",
            &format!("/ledger/postings/{posted}/reverse"),
            json!({}),
            201,
        ),
        post("placeHold", "/ledger/holds", hold, 201),
        get("getHold", format!("/ledger/holds/{held}")),
        post(
            "voidHold",
            &format!("/ledger/holds/{held}/void"),
            Value::Null,
            200,
        ),
        post("openPeriod", "/periods", year, 201).of_admin(),
        post("closePeriod", "/periods/close", closing, 200).of_admin(),
    ])
}

fn new_account(code: &str) -> Value {
    json!({
        "code": code,
        "currency": "EUR",
        "normal_side": "debit",
        "gl_account": "opening-equity",
    })
}

async fn account(staff: &Staff, code: &str) -> anyhow::Result<i64> {
    let made = staff.post("/ledger/accounts", &new_account(code)).await?;
    let made = made.expect(201)?;
    let id = made.body.get("ledger_account_id").and_then(Value::as_i64);
    id.context("no account was opened")
}
