//! Input that nobody planned for: every operation refuses it with a status 4xx, a code and a
//! sentence that says what to change, and nothing is written.

mod bodies;
mod core;
mod oauth;
mod xs2a;

use branchline::demo::Layout;
use serde_json::Value;

use crate::access::state;
use crate::cast::Cast;
use crate::scene::Scene;
use crate::wire::{Ask, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn xs2a_refuses_bad_input() {
    let scene = Box::pin(Scene::set(Layout::One)).await.unwrap();
    let cast = Box::pin(Cast::gather(&scene)).await.unwrap();
    Box::pin(xs2a::send_all(&scene, &cast)).await.unwrap();
    scene.strike().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authorization_server_refuses_bad_input() {
    let scene = Box::pin(Scene::set(Layout::One)).await.unwrap();
    Box::pin(oauth::send_all(&scene)).await.unwrap();
    scene.strike().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_core_refuses_bad_input() {
    let scene = Box::pin(Scene::set(Layout::One)).await.unwrap();
    Box::pin(core::send_all(&scene)).await.unwrap();
    scene.strike().await.unwrap();
}

/// A call that must be refused, and what is wrong with it.
pub(crate) type Bad = (String, Ask);

/// Sends all; each must be refused, and nothing may change.
async fn all_refused(scene: &Scene, bad: &[Bad]) -> anyhow::Result<()> {
    let before = state::of(&scene.stage).await?;
    let mut wrong = Vec::new();
    for (what, ask) in bad {
        let operation = ask.operation;
        match ask.send(&scene.journey.http).await {
            Ok(reply) => {
                let found = fault(&reply).map(|why| {
                    let text: String = reply.text.chars().take(300).collect();
                    format!("{operation}, {what}: {why}: {} {text}", reply.status)
                });
                wrong.extend(found);
            }
            Err(error) => wrong.push(format!("{operation}, {what}: {error:#}")),
        }
    }
    let after = state::of(&scene.stage).await?;
    let changed = after.iter().filter(|table| !before.contains(table));
    wrong.extend(changed.map(|table| format!("{table:?} changed")));
    anyhow::ensure!(
        wrong.is_empty(),
        "{} faults\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    Ok(())
}

/// What is wrong with a refusal.
fn fault(reply: &Reply) -> Option<&'static str> {
    if !(400..500).contains(&reply.status) {
        return Some("it is not refused");
    }
    let kind = reply.header("content-type").unwrap_or_default();
    if kind.starts_with("text/html") {
        return (reply.text.len() < 100).then_some("the page says nothing");
    }
    // NextGenPSD2 gives these no body.
    if matches!(reply.status, 408 | 415) && reply.text.is_empty() {
        return None;
    }
    if reply.answer().code().is_empty() {
        return Some("there is no code");
    }
    let body = reply.body();
    let says = ["/tppMessages/0/text", "/error_description", "/detail"];
    let sentence = says
        .iter()
        .find_map(|place| body.pointer(place).and_then(Value::as_str));
    match sentence {
        Some(text) if text.len() >= 12 && text.contains(' ') => None,
        Some(_) | None => Some("there is no sentence"),
    }
}

/// Headers that are wrong everywhere.
fn headers(good: &Ask) -> Vec<Bad> {
    let with =
        |what: &str, name: &str, value: &[u8]| (what.to_owned(), good.again().header(name, value));
    vec![
        with(
            "a token that is no text",
            "Authorization",
            b"Bearer \xff\xfe",
        ),
        with(
            "a huge token",
            "Authorization",
            format!("Bearer {}", "A".repeat(20_000)).as_bytes(),
        ),
    ]
}
