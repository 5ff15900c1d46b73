//! What the operations of the XS2A interface refuse: to everybody, and by what they are about.

use super::Refusal;
use crate::cast::Cast;
use crate::wire::Ask;

/// What every operation refuses.
pub(super) fn for_everyone(cast: &Cast, good: &Ask) -> Vec<Refusal> {
    let unknown = |who, ask| Refusal::new(who, ask, 401, "TOKEN_UNKNOWN");
    let at = |tenant: &str| good.elsewhere("/t/lion/", &format!("/t/{tenant}/"));
    let random = format!("bl_at_{}", "A".repeat(43));
    let mut refusals = vec![
        unknown("nobody", good.clone().without("Authorization")),
        unknown("a malformed token", good.clone().bearer("x")),
        unknown(
            "no token at all",
            good.clone().header("Authorization", "Bearer "),
        ),
        unknown(
            "a name and a password",
            good.clone().header("Authorization", "Basic eDp5"),
        ),
        unknown("a random token", good.clone().bearer(&random)),
        unknown(
            "a token of another tenant",
            good.clone().bearer(&cast.elsewhere),
        ),
        unknown("its token at another tenant", at("elephant")),
        Refusal::new(
            "a tenant that is not there",
            at("nowhere"),
            404,
            "RESOURCE_UNKNOWN",
        ),
        Refusal::new(
            "an expired token",
            good.clone().bearer(&cast.expired),
            401,
            "TOKEN_EXPIRED",
        ),
    ];
    for (who, _, token) in &cast.shut_out {
        refusals.push(Refusal::new(
            who,
            good.clone().bearer(token),
            403,
            "SERVICE_BLOCKED",
        ));
    }
    refusals
}

pub(super) fn of_new(cast: &Cast, good: &Ask, wrong_scope: &str) -> Vec<Refusal> {
    let with = |who, token: &str, status, code| {
        Refusal::new(who, good.clone().bearer(token), status, code)
    };
    vec![
        with(
            "a member's token for a consent",
            &cast.consent.token,
            403,
            "SERVICE_BLOCKED",
        ),
        with(
            "a member's token for a payment",
            &cast.paid.token,
            403,
            "SERVICE_BLOCKED",
        ),
        with(
            "an own token for the other service",
            wrong_scope,
            401,
            "TOKEN_INVALID",
        ),
    ]
}

pub(super) fn of_consent(cast: &Cast, good: &Ask) -> Vec<Refusal> {
    let with = |who, token: &str, status, code| {
        Refusal::new(who, good.clone().bearer(token), status, code)
    };
    let [others_ais, _] = &cast.others;
    let mut refusals = vec![
        with("another third party", others_ais, 404, "RESOURCE_UNKNOWN"),
        with(
            "another third party's member",
            &cast.others_consent.token,
            404,
            "RESOURCE_UNKNOWN",
        ),
        with(
            "an own token for the other service",
            &cast.pis,
            401,
            "TOKEN_INVALID",
        ),
        with(
            "a token for another consent",
            &cast.revoked.token,
            401,
            "TOKEN_INVALID",
        ),
        with(
            "a token for a payment",
            &cast.paid.token,
            401,
            "TOKEN_INVALID",
        ),
    ];
    let id = if good.operation == "deleteConsent" {
        &cast.waiting
    } else {
        &cast.consent.id
    };
    refusals.extend(other_ids(
        good,
        id,
        &[&cast.others_consent.id, &cast.paid.id],
    ));
    if good.operation == "getConsentScaStatus" {
        refusals.extend(other_ids(good, &cast.consent_run, &[&cast.paid_run]));
    }
    refusals
}

pub(super) fn of_payment(cast: &Cast, good: &Ask) -> Vec<Refusal> {
    let with = |who, token: &str, status, code| {
        Refusal::new(who, good.clone().bearer(token), status, code)
    };
    let [_, others_pis] = &cast.others;
    let mut refusals = vec![
        with("another third party", others_pis, 404, "RESOURCE_UNKNOWN"),
        with(
            "another third party's member",
            &cast.others_consent.token,
            404,
            "RESOURCE_UNKNOWN",
        ),
        with(
            "an own token for the other service",
            &cast.ais,
            401,
            "TOKEN_INVALID",
        ),
        with(
            "a token for a consent",
            &cast.consent.token,
            401,
            "TOKEN_INVALID",
        ),
    ];
    let id = if good.operation == "cancelPayment" {
        &cast.order
    } else {
        &cast.paid.id
    };
    refusals.extend(other_ids(good, id, &[&cast.consent.id]));
    if good.operation == "cancelPayment" {
        let other = good.clone().bearer(&cast.paid.token);
        refusals.push(Refusal::new(
            "a token for another payment",
            other,
            401,
            "TOKEN_INVALID",
        ));
    }
    if good.operation == "getPaymentInitiationScaStatus" {
        refusals.extend(other_ids(good, &cast.paid_run, &[&cast.consent_run]));
    }
    refusals
}

/// Ids that are not there, for this caller: foreign, unknown and malformed ones look alike.
fn other_ids(good: &Ask, id: &str, foreign: &[&str]) -> Vec<Refusal> {
    let unknown = ["00000000-0000-7000-8000-000000000000", "x", "%00", "%FF"];
    let ids = foreign.iter().chain(&unknown);
    ids.map(|other| {
        let ask = good.elsewhere(id, other);
        Refusal::new("an id that is not there", ask, 404, "RESOURCE_UNKNOWN")
    })
    .collect()
}

pub(super) fn of_accounts(cast: &Cast, good: &Ask, one: bool) -> Vec<Refusal> {
    let with = |who, token: &str, consent: &str, status, code| {
        let ask = good.clone().bearer(token).header("Consent-ID", consent);
        Refusal::new(who, ask, status, code)
    };
    let (token, id) = (cast.consent.token.as_str(), cast.consent.id.as_str());
    let theirs = &cast.others_consent;
    let mut refusals = vec![
        with("an own token", &cast.ais, id, 403, "SERVICE_BLOCKED"),
        with(
            "a token for a payment",
            &cast.paid.token,
            id,
            401,
            "TOKEN_INVALID",
        ),
        with(
            "another third party",
            &theirs.token,
            id,
            400,
            "CONSENT_UNKNOWN",
        ),
        with(
            "another's consent",
            token,
            &theirs.id,
            400,
            "CONSENT_UNKNOWN",
        ),
        with(
            "a consent that is not there",
            token,
            "00000000-0000-7000-8000-000000000000",
            400,
            "CONSENT_UNKNOWN",
        ),
        with("a malformed consent", token, "x", 400, "CONSENT_UNKNOWN"),
        with(
            "another own consent",
            token,
            &cast.revoked.id,
            401,
            "TOKEN_INVALID",
        ),
        with(
            "a consent nobody gave",
            &cast.received.token,
            &cast.received.id,
            401,
            "CONSENT_INVALID",
        ),
        with(
            "a withdrawn consent",
            &cast.revoked.token,
            &cast.revoked.id,
            401,
            "CONSENT_INVALID",
        ),
        with(
            "an ended consent",
            &cast.ended.token,
            &cast.ended.id,
            401,
            "CONSENT_EXPIRED",
        ),
        Refusal::new(
            "no consent",
            good.clone().without("Consent-ID"),
            400,
            "FORMAT_ERROR",
        ),
    ];
    if one {
        refusals.extend(other_ids(
            good,
            &cast.resource,
            &[&cast.revoked_resource, &cast.consent.id],
        ));
        let theirs = with(
            "their consent",
            &theirs.token,
            &theirs.id,
            404,
            "RESOURCE_UNKNOWN",
        );
        refusals.push(theirs);
    }
    refusals
}
