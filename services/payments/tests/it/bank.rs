//! Two institutions with a member each, made by the production code.

use branchline_banking::{
    self as banking, Account, Institution, Login, NewAccount, NewMember, Product,
};
use branchline_db::{Access, Db, TenantTx};
use branchline_kernel::{FakeClock, IdSource, Money, PaymentId, RandomIds, TenantId};
use branchline_ledger::{self as ledger, Engine, EngineLimits};
use branchline_payments::{
    self as payments, Answer, Credit, CreditOrder, Debtor, Instruction, NewPayment, Payment,
    PaymentError, Plan, Step,
};

/// Lion and Elephant, with Amina's and Baraka's accounts.
pub(crate) struct Banks {
    pub(crate) core: Db,
    pub(crate) engine: Engine,
    pub(crate) clock: FakeClock,
    pub(crate) lion: TenantId,
    pub(crate) elephant: TenantId,
    pub(crate) amina: Account,
    pub(crate) baraka: Account,
}

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

/// Two institutions; Amina has 100.00 at Lion, Baraka nothing at Elephant.
pub(crate) async fn banks() -> Option<Banks> {
    let made = branchline_testkit::installation("payments between institutions", 8).await?;
    let (core, lion, elephant) = (made.core, made.lion, made.elephant);
    establish(&core, &lion, "70010001").await;
    establish(&core, &elephant, "70010002").await;
    let amina = member(&core, &lion, "Amina").await;
    let baraka = member(&core, &elephant, "Baraka").await;
    let engine = Engine::try_new(&core, EngineLimits::STANDARD).unwrap();
    let banks = Banks {
        core,
        engine,
        clock: made.clock,
        lion,
        elephant,
        amina,
        baraka,
    };
    banks.deposit(&banks.lion, &banks.amina, eur(10_000)).await;
    Some(banks)
}

async fn establish(core: &Db, tenant: &TenantId, bank_code: &str) {
    let tx = core
        .tenant(tenant, "system:provisioning", Access::Write)
        .await
        .unwrap();
    let institution = Institution {
        country: "DE".to_owned(),
        bank_code: bank_code.to_owned(),
        currency: "EUR".parse().unwrap(),
    };
    banking::establish(&tx, &institution).await.unwrap();
    tx.commit().await.unwrap();
}

async fn member(core: &Db, tenant: &TenantId, name: &str) -> Account {
    let tx = core
        .tenant(tenant, "staff:teller", Access::Write)
        .await
        .unwrap();
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
        currency: "EUR".parse().unwrap(),
        product: Product::Current,
    };
    let account = banking::open_account(&tx, &new).await.unwrap();
    tx.commit().await.unwrap();
    account
}

impl Banks {
    /// Runs `work` in a transaction of its own and commits what succeeds.
    pub(crate) async fn at<T>(
        &self,
        tenant: &TenantId,
        work: impl AsyncFn(&TenantTx) -> Result<T, PaymentError>,
    ) -> Result<T, PaymentError> {
        let tx = self
            .core
            .tenant(tenant, "system:test", Access::Write)
            .await?;
        let done = work(&tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    pub(crate) async fn deposit(&self, tenant: &TenantId, account: &Account, amount: Money) {
        let key = RandomIds.next().into();
        let command = self
            .at(tenant, async |tx| {
                Ok(banking::cash_deposit(tx, account.id, amount, key).await?)
            })
            .await
            .unwrap();
        let verdict = self.engine.submit(tenant, command, None).await.unwrap();
        assert!(verdict.accepted().is_ok(), "{verdict:?}");
    }

    /// Posts what `plan` plans at Lion, planning anew while the payment changes.
    pub(crate) async fn post(
        &self,
        plan: impl AsyncFn(&TenantTx) -> Result<Plan, PaymentError>,
    ) -> Result<Payment, PaymentError> {
        loop {
            let planned = match self.at(&self.lion, &plan).await? {
                Plan::Settled(payment) => return Ok(*payment),
                Plan::Post(planned) => planned,
            };
            if let Some(payment) = planned.post(&self.engine, &self.lion).await? {
                return Ok(payment);
            }
        }
    }

    /// What is booked and what is available, in minor units.
    pub(crate) async fn balance(&self, tenant: &TenantId, account: &Account) -> (i64, i64) {
        let balances = self
            .at(tenant, async |tx| Ok(banking::balances(tx, account).await?))
            .await
            .unwrap();
        (balances.booked.minor(), balances.available.minor())
    }

    pub(crate) fn order(&self, amount: Money) -> NewPayment {
        self.order_to(self.baraka.iban.as_str(), amount)
    }

    pub(crate) fn order_to(&self, iban: &str, amount: Money) -> NewPayment {
        NewPayment {
            id: RandomIds.next().into(),
            instruction: Instruction {
                debtor: Debtor {
                    account: self.amina.id,
                    iban: self.amina.iban.clone(),
                    name: self.amina.owner_name.clone(),
                },
                creditor_iban: iban.parse().unwrap(),
                creditor_name: "Baraka".to_owned(),
                amount,
                end_to_end_id: "INV-17".to_owned(),
                remittance: Some("Invoice 17".to_owned()),
            },
        }
    }

    /// A payment that Amina has agreed to.
    pub(crate) async fn authorised(&self, new: NewPayment) -> Payment {
        let id = new.id;
        self.at(&self.lion, async |tx| {
            payments::initiate(tx, new.clone()).await
        })
        .await
        .unwrap();
        self.authorise(id).await.unwrap()
    }

    pub(crate) async fn authorise(&self, id: PaymentId) -> Result<Payment, PaymentError> {
        self.post(async |tx| payments::authorise(tx, id, |_| true).await)
            .await
    }

    pub(crate) async fn dispatch(&self, id: PaymentId) -> Payment {
        let to = self.elephant.clone();
        self.post(async |tx| payments::dispatch(tx, id, Some(to.clone())).await)
            .await
            .unwrap()
    }

    /// The order that Elephant is asked for.
    pub(crate) async fn asked(&self, id: PaymentId) -> CreditOrder {
        let step = self
            .at(&self.lion, async |tx| payments::next_step(tx, id).await)
            .await
            .unwrap();
        let Step::Exchange { order, .. } = step else {
            panic!("nothing is asked for: {step:?}");
        };
        *order
    }

    pub(crate) async fn credit(&self, order: &CreditOrder) -> Answer {
        self.try_credit(order).await.unwrap()
    }

    pub(crate) async fn try_credit(&self, order: &CreditOrder) -> Result<Answer, PaymentError> {
        loop {
            let plan = async |tx: &TenantTx| payments::plan_credit(tx, order).await;
            match self.at(&self.elephant, plan).await? {
                Credit::Answered(answer) => return Ok(answer),
                Credit::Refuse(reason) => {
                    let refuse = async |tx: &TenantTx| {
                        payments::refuse_credit(tx, order, reason.clone()).await
                    };
                    return self.at(&self.elephant, refuse).await;
                }
                Credit::Post(planned) => {
                    if let Some(answer) = planned.post(&self.engine, &self.elephant).await? {
                        return Ok(answer);
                    }
                }
            }
        }
    }

    pub(crate) async fn conclude(&self, id: PaymentId, answer: Answer) -> Payment {
        self.try_conclude(id, answer).await.unwrap()
    }

    pub(crate) async fn try_conclude(
        &self,
        id: PaymentId,
        answer: Answer,
    ) -> Result<Payment, PaymentError> {
        self.post(async |tx| payments::conclude(tx, id, answer.clone()).await)
            .await
    }

    /// Ends the test: at both institutions the books agree with themselves, and what lies on
    /// clearing mirrors what is not yet booked.
    pub(crate) async fn check_books(&self) {
        let mut clearing = 0_i64;
        for tenant in [&self.lion, &self.elephant] {
            let findings = self
                .at(tenant, async |tx| Ok(ledger::verify(tx).await?))
                .await
                .unwrap();
            assert!(findings.is_empty(), "{findings:?}");
            let position = self
                .at(tenant, async |tx| {
                    payments::position(tx, "EUR".parse().unwrap()).await
                })
                .await
                .unwrap();
            assert_eq!(position.in_flight.minor(), 0, "something is on its way");
            clearing = clearing.checked_add(position.clearing.minor()).unwrap();
        }
        assert_eq!(clearing, 0, "clearing accounts mirror each other");
    }
}
