//! The two cookies: the session, and the browser's own mark while somebody signs in.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration;
use actix_web::cookie::{Cookie, SameSite};
use branchline_consent::session::{SESSION_LIFE, SecretHash};
use branchline_db::Tenant;

use crate::Gateway;

/// Which cookie.
#[derive(Debug, Clone, Copy)]
pub(super) enum Which {
    /// A signed-in member's.
    Session,
    /// A browser's that is about to sign somebody in.
    Browser,
}

impl Which {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "bl_session",
            Self::Browser => "bl_browser",
        }
    }

    /// What the browser holds, if it looks like ours.
    pub(super) fn of(self, request: &HttpRequest) -> Option<String> {
        let value = request.cookie(self.name())?.value().to_owned();
        (value.len() == 43).then_some(value)
    }

    /// The hash of what the browser holds.
    pub(super) fn hash(self, request: &HttpRequest) -> Option<SecretHash> {
        self.of(request).map(|secret| SecretHash::of(&secret))
    }

    /// The cookie for the pages of one institution. `Lax`, because the sign-in comes back from
    /// another site.
    pub(super) fn set(self, gateway: &Gateway, tenant: &Tenant, secret: &str) -> Cookie<'static> {
        Cookie::build(self.name(), secret.to_owned())
            .path(format!("/t/{}", tenant.slug))
            .http_only(true)
            .same_site(SameSite::Lax)
            .secure(gateway.public_url().starts_with("https://"))
            .max_age(Duration::seconds(SESSION_LIFE.num_seconds()))
            .finish()
    }

    /// Takes the cookie back.
    pub(super) fn remove(self, gateway: &Gateway, tenant: &Tenant) -> Cookie<'static> {
        let mut cookie = self.set(gateway, tenant, "");
        cookie.set_max_age(Duration::ZERO);
        cookie
    }
}
