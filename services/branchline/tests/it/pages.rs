//! What a member reads where nothing can be shown.

use branchline::demo::Layout;
use reqwest::{Method, StatusCode};

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_plain_and_say_that_this_is_development() {
    let scene = Scene::set(Layout::One).await.unwrap();
    let unknown = format!("urn:ietf:params:oauth:request_uri:{}", "A".repeat(43));
    let run_out = format!(
        "/t/lion/oauth/authorize?client_id={}&request_uri={unknown}",
        scene.fintech.client_id()
    );
    for (method, path, status, says) in [
        (Method::GET, run_out.as_str(), 400, "not open any more"),
        (Method::GET, "/t/lion/oauth/authorize", 400, "tell those"),
        (Method::GET, "/t/nowhere/me", 404, "nothing to do here"),
        (Method::GET, "/t/lion/approve/x", 404, "nothing to do here"),
        (Method::POST, "/t/lion/me", 405, "does not take that"),
    ] {
        let address = format!("{}{path}", scene.journey.gateway);
        let asked = scene.journey.http.request(method, address).send().await;
        let answer = asked.unwrap();
        assert_eq!(answer.status(), StatusCode::from_u16(status).unwrap());
        let page = answer.text().await.unwrap();
        assert!(page.contains(says), "{path}: {page}");
        assert!(page.contains("No real money"), "{path}: {page}");
        assert!(!page.contains("push"), "{path}: {page}");
    }
    scene.strike().await.unwrap();
}
