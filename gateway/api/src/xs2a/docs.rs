//! Parts of the OpenAPI document that XS2A operations have in common.

use std::collections::BTreeMap;

use branchline_web::Problem;
use branchline_xs2a::TppMessages;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{Content, Ref, RefOr, Required, Response, ResponseBuilder};
use utoipa::{IntoParams, IntoResponses, ToSchema};

fn parameter(
    name: &str,
    place: ParameterIn,
    required: bool,
    (schema, says): (ObjectBuilder, &str),
) -> Parameter {
    let required = match required {
        true => Required::True,
        false => Required::False,
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(says))
        .schema(Some(schema.build()))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn uuid() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
}

fn date() -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
}

fn flag() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::Boolean)
}

fn words(all: &[&str]) -> ObjectBuilder {
    text().enum_values(Some(all.iter().map(|word| (*word).to_owned())))
}

fn tenant() -> Parameter {
    let says = "The institution's name in addresses.";
    parameter("tenant", ParameterIn::Path, true, (text(), says))
}

fn request_id() -> Parameter {
    let says = "Names this request; a repeat with the same id gets the same answer.";
    parameter("X-Request-ID", ParameterIn::Header, true, (uuid(), says))
}

fn psu_address(required: bool) -> Parameter {
    let says = "The member's address; on reads only when she is there.";
    parameter(
        "PSU-IP-Address",
        ParameterIn::Header,
        required,
        (text(), says),
    )
}

fn in_path(name: &str, says: &str) -> Vec<Parameter> {
    vec![parameter(name, ParameterIn::Path, true, (text(), says))]
}

/// What every operation takes.
pub(crate) struct CallHeaders;

impl IntoParams for CallHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![tenant(), request_id(), psu_address(false)]
    }
}

/// What initiations take.
pub(crate) struct InitiationHeaders;

impl IntoParams for InitiationHeaders {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            tenant(),
            request_id(),
            psu_address(true),
            parameter(
                "TPP-Redirect-URI",
                ParameterIn::Header,
                false,
                (
                    text(),
                    "Where the member returns to; the authorization request decides.",
                ),
            ),
        ]
    }
}

/// What account reads take besides.
pub(crate) struct ConsentHeader;

impl IntoParams for ConsentHeader {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(
            "Consent-ID",
            ParameterIn::Header,
            true,
            (text(), "The consent that opens the accounts."),
        )]
    }
}

/// A consent.
pub(crate) struct ConsentPath;

impl IntoParams for ConsentPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path("consentId", "The consent.")
    }
}

/// A run of authentication.
pub(crate) struct RunPath;

impl IntoParams for RunPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path("authorisationId", "The run of authentication.")
    }
}

/// A payment product.
pub(crate) struct ProductPath;

impl IntoParams for ProductPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path("paymentProduct", "The product: sepa-credit-transfers.")
    }
}

/// A payment.
pub(crate) struct PaymentPath;

impl IntoParams for PaymentPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path("paymentId", "The payment.")
    }
}

/// An account.
pub(crate) struct AccountPath;

impl IntoParams for AccountPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        in_path(
            "accountId",
            "The account, by the id that the consent gave it.",
        )
    }
}

/// Whether balances are wanted too.
pub(crate) struct BalanceQuery;

impl IntoParams for BalanceQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![parameter(
            "withBalance",
            ParameterIn::Query,
            false,
            (flag(), "Whether balances are wanted too."),
        )]
    }
}

/// What a report takes.
pub(crate) struct ReportQuery;

impl IntoParams for ReportQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            parameter(
                "bookingStatus",
                ParameterIn::Query,
                true,
                (words(&["booked", "pending", "both"]), "Which entries."),
            ),
            parameter(
                "dateFrom",
                ParameterIn::Query,
                true,
                (date(), "The first day."),
            ),
            parameter(
                "dateTo",
                ParameterIn::Query,
                false,
                (date(), "The last day."),
            ),
            parameter(
                "withBalance",
                ParameterIn::Query,
                false,
                (flag(), "Whether balances are wanted too."),
            ),
            parameter(
                "cursor",
                ParameterIn::Query,
                false,
                (text(), "Where the page starts; only from a `next` link."),
            ),
        ]
    }
}

/// The refusals that every operation may give.
pub(crate) struct Xs2aErrors;

impl IntoResponses for Xs2aErrors {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let told = [
            (
                "400",
                "A header, parameter or member is missing, malformed or not supported",
            ),
            ("401", "The token or the consent is not good for this"),
            (
                "403",
                "The third party is shut out here, or the token is of another grant",
            ),
            ("404", "Nothing of the caller's has this id"),
            ("405", "The method is not offered here"),
            ("406", "Only application/json is offered"),
            (
                "409",
                "The state of the resource, or a request under the same id, forbids it",
            ),
            (
                "429",
                "Too many reads without the member, or too many calls",
            ),
        ];
        let bare = [
            ("415", "The body is not application/json"),
            ("500", "Something of ours is broken"),
            (
                "503",
                "For the moment it cannot be done; nothing was changed",
            ),
        ];
        let told = told.into_iter().map(|(status, says)| {
            let body = Content::new(Some(Ref::from_schema_name(TppMessages::name())));
            let mut response = ResponseBuilder::new()
                .description(says)
                .content("application/json", body);
            if status == "429" {
                // The limit by address stands before all operations and answers in its own shape.
                let limited = Content::new(Some(Ref::from_schema_name(Problem::name())));
                response = response.content("application/problem+json", limited);
            }
            (status.to_owned(), RefOr::T(response.build()))
        });
        let bare = bare.into_iter().map(|(status, says)| {
            let response = ResponseBuilder::new().description(says);
            (status.to_owned(), RefOr::T(response.build()))
        });
        told.chain(bare).collect()
    }
}
