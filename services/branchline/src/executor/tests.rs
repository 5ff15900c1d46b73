//! Payments carried from one institution to the other, against a real server.

use branchline_banking::{
    self as banking, Account, Institution, Login, NewAccount, NewMember, Product,
};
use branchline_db::provision::{Serving, set_serving};
use branchline_db::{Access, Db, TenantTx};
use branchline_kernel::{Currency, Money, PaymentId, TenantId};
use branchline_ledger::{self as ledger, Engine, EngineLimits};
use branchline_payments::{
    self as payments, Answer, Debtor, Instruction, NewPayment, Plan, Position, State,
};
use branchline_testkit::{Installation, installation};
use chrono::TimeDelta;

use super::{Executor, NettingError, settle};

struct Scene {
    executor: Executor,
    made: Installation,
    amina: Account,
    baraka: Account,
}

fn eur(minor: i64) -> Money {
    Money::new(minor, currency())
}

fn currency() -> Currency {
    "EUR".parse().unwrap()
}

/// Amina has 100.00 at Lion, Baraka nothing at Elephant.
async fn scene() -> Option<Scene> {
    let made = installation("the executor", 8).await?;
    let amina = member(&made.core, &made.lion, ("Amina", "70010001")).await;
    let baraka = member(&made.core, &made.elephant, ("Baraka", "70010002")).await;
    let engine = Engine::try_new(&made.core, EngineLimits::STANDARD).unwrap();
    let tx = write(&made.core, &made.lion).await;
    let key = tx.next_id().into();
    let cash = banking::cash_deposit(&tx, amina.id, eur(10_000), key)
        .await
        .unwrap();
    drop(tx);
    let verdict = engine.submit(&made.lion, cash, None).await.unwrap();
    assert!(verdict.accepted().is_ok());
    Some(Scene {
        executor: Executor::new(made.core.clone(), engine),
        made,
        amina,
        baraka,
    })
}

async fn write(core: &Db, tenant: &TenantId) -> TenantTx {
    core.tenant(tenant, "system:test", Access::Write)
        .await
        .unwrap()
}

async fn member(core: &Db, tenant: &TenantId, (name, bank_code): (&str, &str)) -> Account {
    let tx = write(core, tenant).await;
    let institution = Institution {
        country: "DE".to_owned(),
        bank_code: bank_code.to_owned(),
        currency: currency(),
    };
    banking::establish(&tx, &institution).await.unwrap();
    let login = Login {
        issuer: "https://id.test".to_owned(),
        subject: name.to_owned(),
    };
    let name = name.to_owned();
    let member = banking::enroll(&tx, NewMember { name, login })
        .await
        .unwrap();
    let new = NewAccount {
        member: member.id,
        currency: currency(),
        product: Product::Current,
    };
    let account = banking::open_account(&tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    account
}

impl Scene {
    fn core(&self) -> &Db {
        &self.made.core
    }

    /// A payment that Amina has agreed to.
    async fn authorised(&self, amount: Money) -> PaymentId {
        let tx = write(self.core(), &self.made.lion).await;
        let id = PaymentId::from(tx.next_id());
        let instruction = Instruction {
            debtor: Debtor {
                account: self.amina.id,
                iban: self.amina.iban.clone(),
                name: "Amina".to_owned(),
            },
            creditor_iban: self.baraka.iban.clone(),
            creditor_name: "Baraka".to_owned(),
            amount,
            end_to_end_id: "INV-17".to_owned(),
            remittance: None,
        };
        payments::initiate(&tx, NewPayment { id, instruction })
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let tx = write(self.core(), &self.made.lion).await;
        let plan = payments::authorise(&tx, id, |_| true).await.unwrap();
        drop(tx);
        let Plan::Post(planned) = plan else {
            panic!("nothing is to be held");
        };
        let engine = &self.executor.engine;
        planned
            .post(engine, &self.made.lion)
            .await
            .unwrap()
            .unwrap();
        id
    }

    async fn advance(&self, id: PaymentId) {
        let lion = &self.made.lion;
        self.executor.advance(lion, id).await.unwrap();
    }

    async fn state(&self, id: PaymentId) -> State {
        let tx = write(self.core(), &self.made.lion).await;
        payments::get_payment(&tx, id).await.unwrap().state
    }

    /// What is booked for Amina and for Baraka.
    async fn booked(&self) -> (i64, i64) {
        let tx = write(self.core(), &self.made.lion).await;
        let amina = banking::balances(&tx, &self.amina).await.unwrap().booked;
        let tx = write(self.core(), &self.made.elephant).await;
        let baraka = banking::balances(&tx, &self.baraka).await.unwrap().booked;
        (amina.minor(), baraka.minor())
    }

    async fn position(&self, tenant: &TenantId) -> Position {
        let tx = write(self.core(), tenant).await;
        assert_eq!(ledger::verify(&tx).await.unwrap(), []);
        payments::position(&tx, currency()).await.unwrap()
    }

    /// The credit is booked at Elephant and Lion does not know: what a crash leaves behind.
    async fn credited_unaware(&self, amount: Money) -> PaymentId {
        let id = self.authorised(amount).await;
        let tx = write(self.core(), &self.made.lion).await;
        let payee = Some(self.made.elephant.clone());
        payments::dispatch(&tx, id, payee).await.unwrap();
        tx.commit().await.unwrap();
        let tx = write(self.core(), &self.made.lion).await;
        let payments::Step::Exchange { order, .. } = payments::next_step(&tx, id).await.unwrap()
        else {
            panic!("nothing is asked for");
        };
        drop(tx);
        let credited = self.executor.credit(&self.made.elephant, &order);
        assert!(matches!(credited.await.unwrap(), Answer::Credited(_)));
        id
    }
}

#[tokio::test]
async fn a_payment_goes_all_the_way_once_even_when_two_carry_it() {
    let Some(scene) = scene().await else { return };
    let id = scene.authorised(eur(2_500)).await;
    tokio::join!(scene.advance(id), scene.advance(id));
    scene.advance(id).await;
    assert!(matches!(scene.state(id).await, State::Completed { .. }));
    assert_eq!(scene.booked().await, (7_500, 2_500));
    let (lion, elephant) = (
        scene.position(&scene.made.lion).await,
        scene.position(&scene.made.elephant).await,
    );
    assert_eq!(
        (lion.clearing, elephant.clearing),
        (eur(-2_500), eur(2_500))
    );
}

#[tokio::test]
async fn the_sweep_finds_what_a_lost_job_would_have_done() {
    let Some(scene) = scene().await else { return };
    let id = scene.authorised(eur(1_000)).await;
    let unaware = scene.credited_unaware(eur(2_000)).await;
    assert_eq!(scene.executor.sweep().await.unwrap(), 2);
    for payment in [id, unaware] {
        assert!(matches!(
            scene.state(payment).await,
            State::Completed { .. }
        ));
    }
    assert_eq!(scene.booked().await, (7_000, 3_000));
    assert_eq!(scene.executor.sweep().await.unwrap(), 0);
}

#[tokio::test]
async fn while_the_payee_cannot_be_asked_the_hold_stays_and_later_it_completes() {
    let Some(scene) = scene().await else { return };
    let elephant = &scene.made.elephant;
    let id = scene.authorised(eur(1_000)).await;
    set_serving(&scene.made.admin, elephant, Serving::Suspended, "test")
        .await
        .unwrap();
    scene.advance(id).await;
    assert!(matches!(scene.state(id).await, State::Unknown { .. }));
    let tx = write(scene.core(), &scene.made.lion).await;
    let held = banking::balances(&tx, &scene.amina).await.unwrap().held;
    assert_eq!(held, eur(1_000));
    drop(tx);
    set_serving(&scene.made.admin, elephant, Serving::Open, "test")
        .await
        .unwrap();
    assert_eq!(
        scene.executor.sweep().await.unwrap(),
        0,
        "it is not due yet"
    );
    scene.made.clock.advance(TimeDelta::seconds(2));
    assert_eq!(scene.executor.sweep().await.unwrap(), 1);
    assert!(matches!(scene.state(id).await, State::Completed { .. }));
}

#[tokio::test]
async fn netting_moves_clearing_to_settlement_at_both_and_the_second_run_finds_nothing() {
    let Some(scene) = scene().await else { return };
    let id = scene.authorised(eur(2_500)).await;
    scene.advance(id).await;
    let netted = settle(scene.core()).await.unwrap();
    assert_eq!(netted.len(), 2);
    for (tenant, settlement) in [(&scene.made.lion, -2_500), (&scene.made.elephant, 2_500)] {
        let position = scene.position(tenant).await;
        assert_eq!(
            (position.clearing, position.settlement),
            (eur(0), eur(settlement))
        );
    }
    assert_eq!(settle(scene.core()).await.unwrap(), []);
}

#[tokio::test]
async fn netting_is_refused_while_a_credit_is_not_booked_at_the_payer() {
    let Some(scene) = scene().await else { return };
    let id = scene.credited_unaware(eur(700)).await;
    let refused = settle(scene.core()).await;
    assert!(matches!(refused, Err(NettingError::Unmirrored(sum)) if sum == eur(700)));
    assert_eq!(
        scene.position(&scene.made.elephant).await.settlement,
        eur(0)
    );
    scene.advance(id).await;
    assert_eq!(settle(scene.core()).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_netting_that_stopped_half_way_is_finished_by_the_next_run() {
    let Some(scene) = scene().await else { return };
    let id = scene.authorised(eur(2_500)).await;
    scene.advance(id).await;
    let tx = write(scene.core(), &scene.made.lion).await;
    let run = tx.next_id();
    payments::net(&tx, run, eur(-2_500)).await.unwrap();
    tx.commit().await.unwrap();
    let netted = settle(scene.core()).await.unwrap();
    assert_eq!(netted.len(), 1);
    for (tenant, settlement) in [(&scene.made.lion, -2_500), (&scene.made.elephant, 2_500)] {
        let position = scene.position(tenant).await;
        assert_eq!(
            (position.clearing, position.settlement),
            (eur(0), eur(settlement))
        );
    }
}
