//! What we ask Keycloak for, in its own words.

use keycloak::types::{
    ClientRepresentation, CredentialRepresentation, ProtocolMapperRepresentation,
    RealmRepresentation, RoleRepresentation, UserRepresentation,
};

use crate::Job;
use crate::identity::{CLI_CLIENT, GATEWAY_CLIENT, Person, split_name};
use crate::token::CORE_AUDIENCE;

const ACCESS_TOKEN_SECS: i32 = 300;
/// Sign-ins and their failures are kept for a year, for those who must look into them.
const EVENTS_KEPT_SECS: i64 = 365 * 24 * 3600;
const FAILURES_BEFORE_PAUSE: i32 = 10;

pub(super) fn realm(name: &str, display_name: &str, needs_tls: bool) -> RealmRepresentation {
    // "external" lets loopback and private addresses do without TLS, "all" lets nobody.
    let ssl_required = if needs_tls { "all" } else { "external" };
    RealmRepresentation {
        realm: Some(name.to_owned()),
        display_name: Some(display_name.to_owned()),
        enabled: Some(true),
        ssl_required: Some(ssl_required.to_owned()),
        brute_force_protected: Some(true),
        failure_factor: Some(FAILURES_BEFORE_PAUSE),
        permanent_lockout: Some(false),
        password_policy: Some("length(12) and notUsername(undefined)".to_owned()),
        registration_allowed: Some(false),
        reset_password_allowed: Some(false),
        login_with_email_allowed: Some(false),
        access_token_lifespan: Some(ACCESS_TOKEN_SECS),
        events_enabled: Some(true),
        events_expiration: Some(EVENTS_KEPT_SECS),
        admin_events_enabled: Some(true),
        ..Default::default()
    }
}

pub(super) fn role(job: Job) -> RoleRepresentation {
    RoleRepresentation {
        name: Some(job.role().to_owned()),
        ..Default::default()
    }
}

pub(super) fn gateway_client(redirect_uris: &[String]) -> ClientRepresentation {
    ClientRepresentation {
        name: Some("Branchline gateway".to_owned()),
        public_client: Some(false),
        redirect_uris: Some(redirect_uris.to_vec()),
        ..client(GATEWAY_CLIENT)
    }
}

pub(super) fn cli_client() -> ClientRepresentation {
    let config = [
        ("included.custom.audience", CORE_AUDIENCE),
        ("access.token.claim", "true"),
        ("id.token.claim", "false"),
    ];
    let audience = ProtocolMapperRepresentation {
        name: Some("core audience".to_owned()),
        protocol: Some("openid-connect".to_owned()),
        protocol_mapper: Some("oidc-audience-mapper".to_owned()),
        config: Some(texts(config)),
        ..Default::default()
    };
    ClientRepresentation {
        name: Some("Branchline command line".to_owned()),
        public_client: Some(true),
        // RFC 8252 §7.3: Keycloak lets the port of a loopback redirect vary when none is given.
        redirect_uris: Some(vec!["http://127.0.0.1/callback".to_owned()]),
        protocol_mappers: Some(vec![audience]),
        ..client(CLI_CLIENT)
    }
}

/// Authorization code with PKCE and nothing else.
fn client(client_id: &str) -> ClientRepresentation {
    ClientRepresentation {
        client_id: Some(client_id.to_owned()),
        enabled: Some(true),
        protocol: Some("openid-connect".to_owned()),
        standard_flow_enabled: Some(true),
        implicit_flow_enabled: Some(false),
        direct_access_grants_enabled: Some(false),
        service_accounts_enabled: Some(false),
        full_scope_allowed: Some(false),
        web_origins: Some(Vec::new()),
        attributes: Some(texts([("pkce.code.challenge.method", "S256")])),
        ..Default::default()
    }
}

pub(super) fn user(person: &Person, is_password_temporary: bool) -> UserRepresentation {
    let password = person.password.as_ref().map(|password| {
        vec![CredentialRepresentation {
            type_: Some("password".to_owned()),
            value: Some(password.expose().clone()),
            temporary: Some(is_password_temporary),
            ..Default::default()
        }]
    });
    let (first_name, last_name) = split_name(&person.full_name);
    UserRepresentation {
        username: Some(person.username.clone()),
        first_name: Some(first_name.to_owned()),
        last_name: Some(last_name.to_owned()),
        enabled: Some(true),
        credentials: password,
        ..Default::default()
    }
}

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> std::collections::HashMap<String, String> {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
