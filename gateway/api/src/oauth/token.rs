//! The token and revocation endpoints.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::oauth::{self, GrantId, RedeemError, TokenScope};
use branchline_db::{Access, audit};
use branchline_oauth::{
    CodeExchange, OpaqueToken, RevocationRequest, TokenAnswer, TokenKind, TokenRequest,
};

use super::client::Client;
use super::docs::{OAuthErrors, TenantPath};
use super::random_32;
use super::refused::Refused;
use crate::Gateway;

/// Gives an access token for a member's approval, or to the client for itself.
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/token", operation_id = "issueToken", tag = "OAuth",
    params(TenantPath),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded",
        description = "client_assertion, grant_type and code, redirect_uri, code_verifier or scope"),
    responses((status = 200, description = "The token", body = Object), OAuthErrors)
)]
pub(crate) async fn issue_token(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let client = Client::of(&gateway, &request, sent).await?;
    let answer = match TokenRequest::parse(&client.params, &client.tpp.registration)? {
        TokenRequest::Code(exchange) => for_code(&gateway, &client, &exchange).await?,
        TokenRequest::ClientCredentials(scope) => {
            let token = OpaqueToken::mint(TokenKind::Access, &random_32()?);
            let scope = TokenScope::Service(scope);
            gateway
                .change(&client.tenant.id, &client.actor(), async |tx| {
                    issue(tx, &client, &token, &scope).await
                })
                .await?
        }
    };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(answer))
}

async fn issue(
    tx: &branchline_db::TenantTx,
    client: &Client,
    token: &OpaqueToken,
    scope: &TokenScope,
) -> Result<TokenAnswer, Refused> {
    let expires_at = oauth::issue_token(tx, token, client.tpp.client(), scope).await?;
    let shown = match scope {
        TokenScope::Service(scope) => scope.to_string(),
        TokenScope::Granted(scope, _) => scope.to_string(),
    };
    audit::record(tx, client.event("issueToken", &shown)).await?;
    Ok(TokenAnswer::bearer(token, &shown, tx.now(), expires_at))
}

/// A code that was redeemed before has leaked: its grant ends, in a transaction of its own, before
/// the refusal is told.
async fn for_code(
    gateway: &Gateway,
    client: &Client,
    exchange: &CodeExchange,
) -> Result<TokenAnswer, Refused> {
    let token = OpaqueToken::mint(TokenKind::Access, &random_32()?);
    let actor = client.actor();
    let tx = gateway
        .db()
        .tenant(&client.tenant.id, &actor, Access::Write)
        .await?;
    match oauth::redeem(&tx, client.tpp.client(), exchange).await {
        Ok(redeemed) => {
            let scope = TokenScope::Granted(redeemed.scope, redeemed.grant);
            let answer = issue(&tx, client, &token, &scope).await?;
            tx.commit().await?;
            Ok(answer)
        }
        Err(refused) => {
            tx.rollback().await?;
            if let Some(grant) = refused.revokes() {
                revoke(gateway, client, grant).await?;
            }
            Err(redeem_refused(refused))
        }
    }
}

fn redeem_refused(refused: RedeemError) -> Refused {
    refused.into()
}

async fn revoke(gateway: &Gateway, client: &Client, grant: GrantId) -> Result<(), Refused> {
    gateway
        .change(&client.tenant.id, &client.actor(), async |tx| {
            oauth::revoke_grant(tx, grant).await?;
            let event = audit::Event {
                outcome: "code-replayed".to_owned(),
                ..client.event("issueToken", "grant revoked")
            };
            audit::record(tx, event).await?;
            Ok::<_, Refused>(())
        })
        .await
}

/// Ends a token of the client. What is no token of its is answered the same (RFC 7009 §2.2).
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/revoke", operation_id = "revokeToken", tag = "OAuth",
    params(TenantPath),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded",
        description = "client_assertion and token"),
    responses((status = 200, description = "It is no longer good"), OAuthErrors)
)]
pub(crate) async fn revoke_token(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let client = Client::of(&gateway, &request, sent).await?;
    match RevocationRequest::parse(&client.params)? {
        RevocationRequest::Unknown => {}
        RevocationRequest::Token(token) => {
            gateway
                .change(&client.tenant.id, &client.actor(), async |tx| {
                    oauth::revoke_token(tx, client.tpp.client(), &token).await?;
                    audit::record(tx, client.event("revokeToken", "token")).await?;
                    Ok::<_, Refused>(())
                })
                .await?;
        }
    }
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish())
}
