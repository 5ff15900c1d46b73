//! The access matrix: every operation, asked by everybody who may not, then by somebody who may.
//!
//! An operation of `openapi/*.json` without a probe here, and a probe without an operation, fail.

mod core;
mod ledger;
pub(crate) mod oauth;
mod pages;
mod refusals;
pub(crate) mod state;
pub(crate) mod xs2a;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use branchline::demo::{Answer, Layout};
use serde_json::Value;

use crate::cast::Cast;
use crate::scene::Scene;
use crate::wire::Ask;

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

#[tokio::test(flavor = "multi_thread")]
async fn xs2a_answers_those_who_may_and_nobody_else() {
    let (scene, cast) = Box::pin(with_cast()).await.unwrap();
    let probed = Box::pin(xs2a::probe_all(&scene, &cast)).await.unwrap();
    let expected = operations_below("xs2a", "/t/{tenant}/v1/").unwrap();
    assert_eq!(probed, expected, "probes and openapi/xs2a.json");
    scene.strike().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_server_answers_those_who_may_and_nobody_else() {
    let (scene, cast) = Box::pin(with_cast()).await.unwrap();
    let probed = Box::pin(oauth::probe_all(&scene, &cast)).await.unwrap();
    let mut expected = operations("xs2a").unwrap();
    let xs2a = operations_below("xs2a", "/t/{tenant}/v1/").unwrap();
    expected.retain(|operation| !xs2a.contains(operation));
    assert_eq!(probed, expected, "probes and openapi/xs2a.json");
    scene.strike().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn members_pages_open_to_their_member_and_nobody_else() {
    let (scene, cast) = Box::pin(with_cast()).await.unwrap();
    Box::pin(pages::probe_all(&scene, &cast)).await.unwrap();
    scene.strike().await.unwrap();
}

async fn with_cast() -> anyhow::Result<(Scene, Cast)> {
    let scene = Scene::set(Layout::One).await?;
    let cast = Box::pin(Cast::gather(&scene)).await?;
    Ok((scene, cast))
}

/// A call that must be refused, in just one way.
#[derive(Debug)]
struct Refusal {
    who: String,
    ask: Ask,
    status: u16,
    code: &'static str,
}

impl Refusal {
    fn new(who: &str, ask: Ask, status: u16, code: &'static str) -> Self {
        Self {
            who: who.to_owned(),
            ask,
            status,
            code,
        }
    }
}

/// Makes the calls; each must be refused as it says and leave everything as it was.
async fn refused_without_trace(scene: &Scene, refusals: &[Refusal]) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let mut before = state::of(&scene.stage).await?;
    for refusal in refusals {
        let operation = refusal.ask.operation;
        let reply = refusal.ask.send(&scene.journey.http).await?;
        let answered = expect(
            &refusal.who,
            operation,
            &reply.answer(),
            refusal.status,
            refusal.code,
        );
        wrong.extend(answered.err().map(|error| error.to_string()));
        let after = state::of(&scene.stage).await?;
        if before != after {
            let changed: Vec<_> = after
                .iter()
                .filter(|table| !before.contains(table))
                .collect();
            wrong.push(format!(
                "{operation} for {} changed {changed:?}",
                refusal.who
            ));
        }
        before = after;
    }
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

/// The ids of all operations of a document.
fn operations(document: &str) -> anyhow::Result<BTreeSet<String>> {
    operations_below(document, "/")
}

/// The ids of the operations of a document whose addresses begin so.
fn operations_below(document: &str, prefix: &str) -> anyhow::Result<BTreeSet<String>> {
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
        .iter()
        .filter(|(path, _)| path.starts_with(prefix))
        .filter_map(|(_, item)| item.as_object())
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
