//! Consents.

use branchline_consent::consents::{self, ChangeError};
use branchline_kernel::{IdSource, RandomIds, TppId};
use branchline_xs2a::{ConsentStatus, CountWindow, Counting, DataKind, Endpoint, Xs2aError};

use crate::scene::{Scene, amina, asked, chosen, installation, joseph};

fn tpp() -> TppId {
    TppId::from(RandomIds.next())
}

#[tokio::test]
async fn an_approved_consent_opens_the_chosen_accounts() {
    let Some(world) = installation().await else {
        return;
    };
    let (tx, moment) = (world.at_lion().await, world.moment());
    let id = asked(&tx, tpp(), moment).await;
    let accounts = chosen(&tx);
    let resource = accounts.first().unwrap().resource;
    let approval = (&amina(), accounts.clone());
    consents::approve(&tx, id, approval, moment).await.unwrap();
    let found = consents::find(&tx, id, moment).await.unwrap().unwrap();
    assert_eq!(found.accounts_at(moment).unwrap(), accounts);
    assert_eq!(found.psu(), Some(&amina()));
    assert!(found.permit(resource, DataKind::Balances, moment).is_ok());
    let again = (&joseph(), chosen(&tx));
    assert!(consents::approve(&tx, id, again, moment).await.is_err());
}

#[tokio::test]
async fn a_member_withdraws_her_own_consent_only() {
    let Some(world) = installation().await else {
        return;
    };
    let (tx, moment) = (world.at_lion().await, world.moment());
    let id = asked(&tx, tpp(), moment).await;
    let approval = (&amina(), chosen(&tx));
    consents::approve(&tx, id, approval, moment).await.unwrap();
    let foreign = consents::withdraw(&tx, id, &joseph(), moment).await;
    assert!(matches!(foreign, Err(ChangeError::Unknown)));
    consents::withdraw(&tx, id, &amina(), moment).await.unwrap();
    let found = consents::find(&tx, id, moment).await.unwrap().unwrap();
    assert_eq!(found.status(), ConsentStatus::RevokedByPsu);
    assert!(found.accounts_at(moment).is_err());
    // What she once allowed stays on her list.
    let listed = consents::of_member(&tx, &amina(), moment).await.unwrap();
    let [allowed] = listed.as_slice() else {
        panic!("{} consents are listed", listed.len());
    };
    assert_eq!(allowed.accounts.len(), 1);
    assert!(
        consents::of_member(&tx, &joseph(), moment)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_newer_recurring_consent_ends_the_older_one_when_it_is_approved() {
    let Some(world) = installation().await else {
        return;
    };
    let (tx, moment, tpp) = (world.at_lion().await, world.moment(), tpp());
    let older = asked(&tx, tpp, moment).await;
    let approval = (&amina(), chosen(&tx));
    consents::approve(&tx, older, approval, moment)
        .await
        .unwrap();
    let newer = asked(&tx, tpp, moment).await;
    let status = async |id| {
        consents::find(&tx, id, moment)
            .await
            .unwrap()
            .unwrap()
            .status()
    };
    assert_eq!(status(older).await, ConsentStatus::Valid);
    let approval = (&amina(), chosen(&tx));
    consents::approve(&tx, newer, approval, moment)
        .await
        .unwrap();
    assert_eq!(status(older).await, ConsentStatus::TerminatedByTpp);
    assert_eq!(status(newer).await, ConsentStatus::Valid);
}

#[tokio::test]
async fn reads_without_the_member_are_counted_per_endpoint() {
    let Some(world) = installation().await else {
        return;
    };
    let (tx, moment) = (world.at_lion().await, world.moment());
    let id = asked(&tx, tpp(), moment).await;
    let approval = (&amina(), chosen(&tx));
    let valid = consents::approve(&tx, id, approval, moment).await.unwrap();
    let day = Counting::Counted(CountWindow::Day);
    let read = async |endpoint, counting| {
        consents::admit_read(&tx, &valid, (endpoint, None), counting, moment).await
    };
    for _ in 0..2 {
        read(Endpoint::AccountList, day).await.unwrap();
    }
    let third = read(Endpoint::AccountList, day).await.unwrap_err();
    let ChangeError::Standard(refused) = third else {
        panic!("{third}");
    };
    assert_eq!(refused, Xs2aError::access_exceeded());
    read(Endpoint::Balances, day).await.unwrap();
    read(Endpoint::AccountList, Counting::Free).await.unwrap();
}
