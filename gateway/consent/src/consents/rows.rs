//! Rows of consents.

use branchline_db::DbError;
use branchline_kernel::{AccountId, ConsentId, ResourceId, TppId};
use branchline_xs2a::{
    Access, Consent, ConsentRequest, ConsentState, GrantedAccount, Permissions, Psu,
};

pub(super) mod consent {
    //! `consent`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "consent")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) tpp: Uuid,
        pub(crate) status: String,
        #[sea_orm(column_type = "JsonBinary")]
        pub(crate) access: Json,
        pub(crate) recurring: bool,
        pub(crate) valid_until: Date,
        pub(crate) frequency_per_day: i32,
        pub(crate) psu_issuer: Option<String>,
        pub(crate) psu_subject: Option<String>,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) confirm_by: DateTimeUtc,
        pub(crate) approved_at: Option<DateTimeUtc>,
        pub(crate) ended_at: Option<DateTimeUtc>,
        pub(crate) last_action_on: Date,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod consent_account {
    //! `consent_account`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "consent_account")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) resource_id: Uuid,
        pub(crate) consent: Uuid,
        pub(crate) core_account: Uuid,
        pub(crate) iban: String,
        pub(crate) currency: String,
        pub(crate) balances: bool,
        pub(crate) transactions: bool,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn inconsistent(column: &'static str) -> DbError {
    DbError::Inconsistent {
        table: "consent",
        column,
    }
}

/// The consent as it was written; its caller looks at it at a moment.
pub(super) fn read_consent(
    row: consent::Model,
    accounts: Vec<GrantedAccount>,
) -> Result<Consent, DbError> {
    let state = read_state(&row, accounts)?;
    Ok(Consent {
        id: ConsentId::from(row.id),
        tpp: TppId::from(row.tpp),
        request: ConsentRequest {
            access: Access::parse(&row.access).map_err(|_refused| inconsistent("access"))?,
            recurring: row.recurring,
            valid_until: row.valid_until,
            frequency_per_day: u8::try_from(row.frequency_per_day)
                .map_err(|_negative| inconsistent("frequency_per_day"))?,
        },
        state,
        last_action: row.last_action_on,
    })
}

fn read_state(
    row: &consent::Model,
    accounts: Vec<GrantedAccount>,
) -> Result<ConsentState, DbError> {
    let ended = || row.ended_at.ok_or_else(|| inconsistent("ended_at"));
    match row.status.as_str() {
        "received" => Ok(ConsentState::Received {
            confirm_by: row.confirm_by,
        }),
        "valid" => Ok(ConsentState::Valid {
            psu: Psu {
                issuer: row
                    .psu_issuer
                    .clone()
                    .ok_or_else(|| inconsistent("psu_issuer"))?,
                subject: row
                    .psu_subject
                    .clone()
                    .ok_or_else(|| inconsistent("psu_subject"))?,
            },
            accounts,
            since: row.approved_at.ok_or_else(|| inconsistent("approved_at"))?,
        }),
        "rejected" => Ok(ConsentState::Rejected { at: ended()? }),
        "revokedByPsu" => Ok(ConsentState::RevokedByPsu { at: ended()? }),
        "terminatedByTpp" => Ok(ConsentState::TerminatedByTpp { at: ended()? }),
        "expired" => Ok(ConsentState::Expired {
            last_day: row.valid_until,
        }),
        _ => Err(inconsistent("status")),
    }
}

impl TryFrom<consent_account::Model> for GrantedAccount {
    type Error = DbError;

    fn try_from(row: consent_account::Model) -> Result<Self, DbError> {
        let inconsistent = |column| DbError::Inconsistent {
            table: "consent_account",
            column,
        };
        Ok(Self {
            resource: ResourceId::from(row.resource_id),
            account: AccountId::from(row.core_account),
            iban: row
                .iban
                .parse()
                .map_err(|_malformed| inconsistent("iban"))?,
            currency: row
                .currency
                .parse()
                .map_err(|_unknown| inconsistent("currency"))?,
            permissions: Permissions {
                balances: row.balances,
                transactions: row.transactions,
            },
        })
    }
}
