//! Parts of the OpenAPI document that OAuth operations have in common.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, ToSchema};

use branchline_web::Problem;

use super::refused::OAuthProblem;

/// The institution of the path.
pub(crate) struct TenantPath;

impl IntoParams for TenantPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        vec![
            ParameterBuilder::new()
                .name("tenant")
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .description(Some("The institution's name in addresses."))
                .schema(Some(schema))
                .build(),
        ]
    }
}

/// The refusals that every operation may give.
pub(crate) struct OAuthErrors;

impl IntoResponses for OAuthErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let all = [
            ("400", "A parameter is missing or wrong"),
            ("401", "The client, its invitation or its token is not good"),
            ("403", "It is not allowed"),
            ("404", "There is no such institution"),
            ("405", "The method is not offered here"),
            ("429", "Too many calls"),
            ("500", "Something of ours is broken"),
            (
                "503",
                "For the moment it cannot be done; nothing was changed",
            ),
        ];
        let problem = |says: &str| {
            let body = Content::new(Some(Ref::from_schema_name(OAuthProblem::name())));
            // The limit by address stands before all operations and answers in its own shape.
            let limited = Content::new(Some(Ref::from_schema_name(Problem::name())));
            ResponseBuilder::new()
                .description(says)
                .content("application/json", body)
                .content("application/problem+json", limited)
                .build()
        };
        all.into_iter()
            .map(|(status, says)| (status.to_owned(), RefOr::T(problem(says))))
            .collect()
    }
}
