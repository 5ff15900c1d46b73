//! Who may call what.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

use crate::api::{Caller, api};

/// Every operation of the document: method and path.
fn operations() -> Vec<(Method, String)> {
    let document = serde_json::to_value(branchline_core_api::openapi()).unwrap();
    let mut all = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = method.to_uppercase().parse().unwrap();
            all.push((
                method,
                path.replace("{id}", "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f"),
            ));
        }
    }
    all
}

#[actix_web::test]
async fn every_documented_operation_exists_and_wants_a_token() {
    let Some(api) = api().await else { return };
    for (method, path) in operations() {
        for header in [
            None,
            Some("Bearer x"),
            Some("Basic eDp5"),
            Some("Bearer a.b.c"),
        ] {
            let mut request = TestRequest::with_uri(&path)
                .method(method.clone())
                .insert_header(("Idempotency-Key", "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f"));
            if let Some(header) = header {
                request = request.insert_header(("Authorization", header));
            }
            let answer = api.call(request).await;
            assert_eq!(answer.status, 401, "{method} {path} {header:?}: {answer:?}");
        }
    }
}

#[actix_web::test]
async fn a_token_without_the_right_is_refused() {
    let Some(api) = api().await else { return };
    let mut nobody = Caller::member(&api.made.lion, "amina");
    nobody.principal.rights = branchline_iam::Rights::none();
    for (method, path) in operations() {
        let answer = if method == Method::GET {
            api.get(&nobody, &path).await
        } else {
            api.post(&nobody, &path, &json!({})).await
        };
        assert_eq!(answer.refusal(), (403, "right-missing"), "{method} {path}");
    }
}

/// The committed access matrix: each operation's kind and right.
fn rows() -> Value {
    serde_json::from_str(include_str!("../../../../openapi/access.json")).unwrap()
}

#[test]
fn the_access_matrix_says_the_right_that_the_code_asks_for() {
    let (document, rows) = (branchline_core_api::openapi(), rows());
    let document = serde_json::to_value(document).unwrap();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert_eq!(rows[id]["right"], operation["x-right"], "{id}");
        }
    }
}
