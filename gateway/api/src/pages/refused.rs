//! What a member reads when something was refused or failed.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use branchline_consent::Refused as StoreRefused;
use branchline_consent::consents::ChangeError;
use branchline_db::DbError;
use branchline_iam::NoRandomness;
use branchline_kernel::{Kind, Refusal};
use branchline_oauth::OAuthError;
use branchline_xs2a::ScaError;
use tracing::error;

use super::page::{Frame, show};
use super::views::MessagePage;
use crate::core_client::CoreError;
use crate::gateway::KeyError;
use crate::login::LoginError;

/// A refusal on its way to a member's browser.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    /// There is nothing at this address for this browser.
    #[error("there is nothing here for this browser")]
    NothingHere,
    /// A form that we did not make, or not for this session, or that is out of date.
    #[error("the form is not one that this session may send")]
    Form,
    /// A choice that the page did not offer.
    #[error("the choice was not offered")]
    Choice,
    /// A rule of OAuth.
    #[error("a rule of OAuth refuses it")]
    OAuth(#[from] OAuthError),
    /// The authorization server's rows.
    #[error("the authorization server refuses it")]
    Store(#[from] StoreRefused),
    /// The run of authentication.
    #[error("the authentication does not go on")]
    Sca(#[from] ScaError),
    /// The consent.
    #[error("the consent is not changed")]
    Consent(#[from] ChangeError),
    /// The core.
    #[error("the core gave no answer that can be used")]
    Core(#[from] CoreError),
    /// The sign-in.
    #[error("nobody was signed in")]
    Login(#[from] LoginError),
    /// A key.
    #[error("a key is missing")]
    Key(#[from] KeyError),
    /// No random numbers.
    #[error("no secret could be made")]
    Random(#[from] NoRandomness),
    /// The database.
    #[error("rows could not be read or written")]
    Db(#[from] DbError),
    /// A page could not be written.
    #[error("a page could not be rendered")]
    Template(#[source] askama::Error),
}

impl Refused {
    fn kind(&self) -> Kind {
        match self {
            Self::NothingHere => Kind::NotFound,
            Self::Form => Kind::Forbidden,
            Self::Choice => Kind::Invalid,
            Self::OAuth(error) => error.kind(),
            Self::Store(error) => error.kind(),
            Self::Sca(error) => error.kind(),
            Self::Consent(error) => error.kind(),
            Self::Core(error) => error.kind(),
            Self::Login(error) => error.kind(),
            Self::Key(error) => error.kind(),
            Self::Random(error) => error.kind(),
            Self::Db(error) => error.kind(),
            Self::Template(_) => Kind::Broken,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::NothingHere => {
                "There is nothing to do here, or it belongs to another session. Go back to the \
                 app and start again."
                    .to_owned()
            }
            Self::Form => {
                "This form is out of date or was changed on its way, so nothing was done. Go back, \
                 load the page again and repeat."
                    .to_owned()
            }
            Self::Choice => {
                "What was chosen is not among what the page offers, so nothing was done. Go back \
                 and choose again."
                    .to_owned()
            }
            Self::OAuth(error) => format!("The app sent you here wrongly: {}.", error.public()),
            Self::Store(error) => match error {
                StoreRefused::Rule(error) => {
                    format!("The app sent you here wrongly: {}.", error.public())
                }
                StoreRefused::Db(error) => error.public(),
            },
            Self::Sca(error) => error.public(),
            Self::Consent(error) => error.public(),
            Self::Core(error) => error.public(),
            Self::Login(error) => error.public(),
            Self::Key(error) => error.public(),
            Self::Random(error) => error.public(),
            Self::Db(error) => error.public(),
            Self::Template(_) => "Something on our side is broken. It was logged.".to_owned(),
        }
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        match self.kind() {
            Kind::Invalid | Kind::TooLarge | Kind::Unprocessable => StatusCode::BAD_REQUEST,
            Kind::Unauthenticated => StatusCode::BAD_REQUEST,
            Kind::Forbidden => StatusCode::FORBIDDEN,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        if status.is_server_error() {
            let causes =
                std::iter::successors(std::error::Error::source(self), |cause| cause.source());
            let chain = causes.fold(self.to_string(), |text, cause| format!("{text}: {cause}"));
            error!("Failed: {chain}");
        }
        message(status, "This did not work", self.text())
    }
}

/// A page that stands for itself, without an institution around it.
fn message(status: StatusCode, heading: &str, text: String) -> HttpResponse {
    let page = MessagePage {
        frame: Frame {
            institution: "Branchline".to_owned(),
            signed_in: None,
            is_dev: false,
        },
        heading: heading.to_owned(),
        text,
        link: None,
        reference: None,
    };
    // A page that cannot be rendered leaves its status alone to speak.
    show(status, &page, None).unwrap_or_else(|_unrendered| HttpResponse::new(status))
}

pub(super) fn method_not_allowed(allowed: &'static str) -> HttpResponse {
    let text = "This address does not take that. Go back and use the buttons of the page.";
    let mut response = message(
        StatusCode::METHOD_NOT_ALLOWED,
        "This did not work",
        text.to_owned(),
    );
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    response
}
