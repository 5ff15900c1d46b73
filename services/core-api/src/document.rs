//! The API document, made from the handlers.

use std::collections::BTreeMap;

use branchline_web::Problem;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{Components, Content, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi};

use crate::{accounts, books, ledger, members, payments};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Branchline core",
        description = "Members, accounts, payments, ledger and books of one institution. The token names \
            the institution; errors are problem+json with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        members::enroll_member,
        accounts::open_account,
        accounts::list_own_accounts,
        accounts::get_account,
        accounts::get_balances,
        accounts::list_entries,
        accounts::accept_deposit,
        accounts::freeze_account,
        accounts::unfreeze_account,
        payments::initiate_payment,
        payments::get_payment,
        payments::authorise_payment,
        payments::cancel_payment,
        books::get_trial_balance,
        books::open_period,
        books::close_period,
        ledger::open_ledger_account,
        ledger::get_ledger_account,
        ledger::list_ledger_entries,
        ledger::postings::post_to_ledger,
        ledger::postings::get_posting,
        ledger::postings::reverse_posting,
        ledger::holds::place_hold,
        ledger::holds::get_hold,
        ledger::holds::void_hold,
    ),
    components(schemas(Problem)),
    modifiers(&Tokens),
    security(("token" = []))
)]
struct Document;

/// The API document.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// How callers show who they are.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document
            .components
            .get_or_insert_with(Components::new)
            .add_security_scheme("token", bearer);
    }
}

/// What every operation may answer besides its own answer.
pub(crate) struct Refusals;

impl IntoResponses for Refusals {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let of = |description: &str| {
            let problem = Content::new(Some(Ref::from_schema_name("Problem")));
            let response = ResponseBuilder::new()
                .description(description)
                .content("application/problem+json", problem)
                .build();
            RefOr::T(response)
        };
        BTreeMap::from([
            (
                "4XX".to_owned(),
                of("The request was refused; the problem says why and what to change."),
            ),
            (
                "5XX".to_owned(),
                of("It could not be done; nothing was changed. Repeat it with the same key."),
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_names_itself_its_right_and_its_refusals() {
        let document = serde_json::to_value(openapi()).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let mut ids = Vec::new();
        for operations in paths.values() {
            for (method, operation) in operations.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(operation["x-right"].is_string(), "{id} names no right");
                assert!(
                    operation["responses"]["4XX"].is_object(),
                    "{id} never refuses"
                );
                let has_key = operation["parameters"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["name"] == "Idempotency-Key"));
                assert_eq!(has_key, method == "post", "{id}: a change has a key");
                ids.push(id.to_owned());
            }
        }
        let all = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert!(all >= 12 && ids.len() == all);
    }

    /// Method and path of each handler, as the attribute over it says.
    fn routes_of_the_sources(folder: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                routes_of_the_sources(&path, found);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                let opening = format!("#[{method}(\"");
                let routes = text.lines().filter_map(|line| line.strip_prefix(&opening));
                let paths = routes.map(|rest| rest.trim_end_matches("\")]").to_owned());
                found.extend(paths.map(|path| (method.to_owned(), path)));
            }
        }
    }

    #[test]
    fn every_handler_is_in_the_document() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut documented = Vec::new();
        for (path, operations) in document["paths"].as_object().unwrap() {
            let methods = operations.as_object().unwrap().keys();
            documented.extend(methods.map(|method| (method.clone(), path.clone())));
        }
        let sources = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut handlers = Vec::new();
        routes_of_the_sources(&sources, &mut handlers);
        documented.sort_unstable();
        handlers.sort_unstable();
        assert_eq!(handlers, documented);
    }
}
