//! What a member reads when something was refused or failed.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, HttpResponse, ResponseError};
use branchline_consent::Refused as StoreRefused;
use branchline_consent::consents::ChangeError;
use branchline_db::DbError;
use branchline_iam::NoRandomness;
use branchline_kernel::{Kind, Refusal};
use branchline_oauth::{ErrorCode, OAuthError};
use branchline_xs2a::ScaError;
use tracing::error;

use super::page::{Frame, show};
use super::views::MessagePage;
use crate::Gateway;
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

    fn page(&self, is_dev: bool) -> HttpResponse {
        message(self.status_code(), self.text(), is_dev)
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
            Self::OAuth(error) => plain(*error).to_owned(),
            Self::Store(error) => match error {
                StoreRefused::Rule(error) => plain(*error).to_owned(),
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

/// What a member reads in place of words that are meant for the app's makers, who are told in
/// their own answers.
const fn plain(error: OAuthError) -> &'static str {
    match error.oauth_code() {
        ErrorCode::InvalidRequestUri => {
            "This request is not open any more: it ran out, or it was answered before. Nothing was \
             done. Go back to the app and start again there."
        }
        ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient => {
            "We do not know this app, or it may not work with us now. Nothing was done. Ask those \
             who make the app."
        }
        ErrorCode::AccessDenied => {
            "You refused, or we could not make sure that it is you. Nothing was approved. Go back \
             to the app if you want to try again."
        }
        ErrorCode::ServerError => {
            "Something on our side is broken. It was logged. Try again later."
        }
        ErrorCode::TemporarilyUnavailable => {
            "We cannot do this for the moment, and nothing was changed. Try again in a few minutes."
        }
        ErrorCode::InvalidAuthorizationDetails
        | ErrorCode::InvalidClientMetadata
        | ErrorCode::InvalidGrant
        | ErrorCode::InvalidRedirectUri
        | ErrorCode::InvalidRequest
        | ErrorCode::InvalidScope
        | ErrorCode::InvalidSoftwareStatement
        | ErrorCode::InvalidToken
        | ErrorCode::RequestNotSupported
        | ErrorCode::RequestUriNotSupported
        | ErrorCode::UnsupportedGrantType
        | ErrorCode::UnsupportedResponseType => {
            "The app sent you here in a way that we do not understand. Nothing was done. Go back \
             to the app and start again; if it happens again, tell those who make the app."
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
        self.page(false)
    }
}

/// A page that stands for itself, without an institution around it.
fn message(status: StatusCode, text: String, is_dev: bool) -> HttpResponse {
    let page = MessagePage {
        frame: Frame {
            institution: "Branchline".to_owned(),
            signed_in: None,
            is_dev,
        },
        heading: "This did not work".to_owned(),
        text,
        link: None,
        reference: None,
    };
    // A page that cannot be rendered leaves its status alone to speak.
    show(status, &page, None).unwrap_or_else(|_unrendered| HttpResponse::new(status))
}

/// Says in development that it is development on pages of refusals too: an error becomes a page
/// where nobody knows the gateway, and is written anew here.
pub(super) async fn say_development(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let is_dev = is_dev(request.request());
    let response = next.call(request).await?;
    let error = response.response().error();
    match error.and_then(|error| error.as_error::<Refused>()) {
        Some(refused) if is_dev => {
            let page = refused.page(true);
            Ok(response.into_response(page))
        }
        Some(_) | None => Ok(response),
    }
}

fn is_dev(request: &HttpRequest) -> bool {
    let gateway = request.app_data::<Data<Gateway>>();
    gateway.is_some_and(|gateway| gateway.is_dev())
}

pub(super) fn method_not_allowed(request: &HttpRequest, allowed: &'static str) -> HttpResponse {
    let text = "This address does not take that. Go back and use the buttons of the page.";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    let mut response = message(status, text.to_owned(), is_dev(request));
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_reads_no_words_that_are_meant_for_the_apps_makers() {
        for refused in [
            Refused::OAuth(OAuthError::InvalidRequestUri),
            Refused::OAuth(OAuthError::NotPushed),
            Refused::OAuth(OAuthError::MissingParameter("request_uri")),
            Refused::Store(StoreRefused::Rule(OAuthError::UnknownClient)),
        ] {
            let text = refused.text();
            for word in ["request_uri", "push", "PAR", "parameter", "client", "_"] {
                assert!(!text.contains(word), "{word} in: {text}");
            }
            assert!(text.ends_with('.'), "{text}");
        }
    }
}
