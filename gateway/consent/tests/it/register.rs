//! The register of third parties.

use branchline_consent::{Refused, tpp};
use branchline_db::Access;
use branchline_kernel::{IdSource, RandomIds, TppId};
use branchline_oauth::{OAuthError, TokenKind};
use chrono::TimeDelta;

use crate::scene::{installation, registration, token};

#[tokio::test]
async fn an_invitation_registers_once() {
    let Some(world) = installation().await else {
        return;
    };
    let invitation = token(TokenKind::Invitation, 1);
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    tpp::invite(&tx, &invitation, "Savanna").await.unwrap();
    let wanted = registration("Savanna Budget");
    let made = tpp::register(&tx, &invitation, &wanted).await.unwrap();
    assert_eq!(made.name(), "Savanna Budget");
    let again = tpp::register(&tx, &invitation, &wanted).await.unwrap_err();
    assert!(matches!(
        again,
        Refused::Rule(OAuthError::InvalidInvitation)
    ));
    assert_eq!(tpp::list(&tx).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitation_that_was_never_made_or_is_too_old_registers_nobody() {
    let Some(world) = installation().await else {
        return;
    };
    let invitation = token(TokenKind::Invitation, 1);
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    tpp::invite(&tx, &invitation, "").await.unwrap();
    tx.commit().await.unwrap();
    let wanted = registration("Savanna Budget");
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    let unknown = token(TokenKind::Invitation, 2);
    assert!(tpp::register(&tx, &unknown, &wanted).await.is_err());
    tx.rollback().await.unwrap();
    let day = TimeDelta::days(1);
    world
        .clock
        .advance(tpp::INVITATION_LIFE.checked_add(&day).unwrap());
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    assert!(tpp::register(&tx, &invitation, &wanted).await.is_err());
}

#[tokio::test]
async fn a_third_party_is_found_only_where_it_is_let_in() {
    let Some(world) = installation().await else {
        return;
    };
    let invitation = token(TokenKind::Invitation, 1);
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    tpp::invite(&tx, &invitation, "").await.unwrap();
    let wanted = registration("Savanna Budget");
    let made = tpp::register(&tx, &invitation, &wanted).await.unwrap();
    let at = async |tenant| tpp::find_enabled(&tx, tenant, made.id).await.unwrap();
    assert_eq!(at(&world.lion).await, None);
    tpp::enable(&tx, &world.lion, made.id).await.unwrap();
    tpp::enable(&tx, &world.lion, made.id).await.unwrap();
    assert_eq!(at(&world.lion).await.as_ref(), Some(&made));
    assert_eq!(at(&world.elephant).await, None);
}

#[tokio::test]
async fn nobody_is_let_in_who_has_not_registered() {
    let Some(world) = installation().await else {
        return;
    };
    let tx = world.gateway.platform(Access::Write).await.unwrap();
    let nobody = TppId::from(RandomIds.next());
    let refused = tpp::enable(&tx, &world.lion, nobody).await.unwrap_err();
    assert!(matches!(refused, Refused::Rule(OAuthError::UnknownClient)));
}
