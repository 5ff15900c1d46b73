//! The access matrix: every operation, asked by everybody who may not, then by somebody who may.
//!
//! An operation of `openapi/*.json` without a probe here, and a probe without an operation, fail.

mod core;
mod ledger;
mod state;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use branchline::demo::{Answer, Layout};
use serde_json::Value;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn the_core_answers_those_who_may_and_nobody_else() {
    let scene = Scene::set(Layout::One).await.unwrap();
    let probed = Box::pin(core::probe_all(&scene)).await.unwrap();
    assert_eq!(
        probed,
        operations("core").unwrap(),
        "probes and openapi/core.json"
    );
    scene.strike().await.unwrap();
}

/// The ids of all operations of a document.
fn operations(document: &str) -> anyhow::Result<BTreeSet<String>> {
    let path = format!(
        "{}/../../openapi/{document}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).context(path)?;
    let document: BTreeMap<String, Value> = serde_json::from_str(&text)?;
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .context("no paths")?;
    let operations = paths
        .values()
        .filter_map(Value::as_object)
        .flat_map(|methods| methods.values());
    let ids =
        operations.filter_map(|operation| operation.get("operationId").and_then(Value::as_str));
    Ok(ids.map(str::to_owned).collect())
}

/// Makes sure of an answer's status and code.
fn expect(
    who: &str,
    operation: &str,
    answer: &Answer,
    status: u16,
    code: &str,
) -> anyhow::Result<()> {
    let is_so = answer.status == status && (code.is_empty() || answer.code() == code);
    anyhow::ensure!(
        is_so,
        "{operation} for {who}: expected {status} {code}, got {} {}",
        answer.status,
        answer.body
    );
    Ok(())
}
