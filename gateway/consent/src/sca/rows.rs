//! Rows of runs of strong customer authentication.

use branchline_db::DbError;
use branchline_kernel::{AuthorisationId, ConsentId, PaymentId};
use branchline_xs2a::{Authorisation, Psu};

use super::{Object, Run};

pub(super) mod authorisation {
    //! `authorisation`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "authorisation")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) consent: Option<Uuid>,
        pub(crate) payment: Option<Uuid>,
        pub(crate) status: String,
        pub(crate) psu_issuer: Option<String>,
        pub(crate) psu_subject: Option<String>,
        pub(crate) content: Option<String>,
        pub(crate) round: i32,
        pub(crate) wrong_attempts: i32,
        pub(crate) code_expires_at: Option<DateTimeUtc>,
        pub(crate) shown: Option<String>,
        #[sea_orm(column_type = "JsonBinary")]
        pub(crate) choice: Option<Json>,
        pub(crate) why: Option<String>,
        pub(crate) ended_at: Option<DateTimeUtc>,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) changed_at: DateTimeUtc,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) const fn status(state: &Authorisation) -> &'static str {
    match state {
        Authorisation::Received => "received",
        Authorisation::PsuIdentified { .. } => "psuIdentified",
        Authorisation::PsuAuthenticated { .. } => "psuAuthenticated",
        Authorisation::Started { .. } => "started",
        Authorisation::Finalised { .. } => "finalised",
        Authorisation::Failed { .. } => "failed",
        Authorisation::Exempted { .. } => "exempted",
    }
}

fn inconsistent(column: &'static str) -> DbError {
    DbError::Inconsistent {
        table: "authorisation",
        column,
    }
}

fn read_psu(row: &authorisation::Model) -> Result<Psu, DbError> {
    Ok(Psu {
        issuer: row
            .psu_issuer
            .clone()
            .ok_or_else(|| inconsistent("psu_issuer"))?,
        subject: row
            .psu_subject
            .clone()
            .ok_or_else(|| inconsistent("psu_subject"))?,
    })
}

fn read_state(row: &authorisation::Model) -> Result<Authorisation, DbError> {
    let at = || row.ended_at.ok_or_else(|| inconsistent("ended_at"));
    match row.status.as_str() {
        "received" => Ok(Authorisation::Received),
        "psuIdentified" => Ok(Authorisation::PsuIdentified {
            psu: read_psu(row)?,
        }),
        "psuAuthenticated" => Ok(Authorisation::PsuAuthenticated {
            psu: read_psu(row)?,
        }),
        "started" => {
            let content = row.content.as_deref().unwrap_or_default().parse();
            Ok(Authorisation::Started {
                psu: read_psu(row)?,
                content: content.map_err(|_malformed| inconsistent("content"))?,
                round: u8::try_from(row.round).map_err(|_large| inconsistent("round"))?,
                wrong_attempts: u8::try_from(row.wrong_attempts)
                    .map_err(|_large| inconsistent("wrong_attempts"))?,
                expires_at: row
                    .code_expires_at
                    .ok_or_else(|| inconsistent("code_expires_at"))?,
            })
        }
        "finalised" => Ok(Authorisation::Finalised {
            psu: read_psu(row)?,
            at: at()?,
        }),
        "failed" => Ok(Authorisation::Failed {
            why: row
                .why
                .as_deref()
                .unwrap_or_default()
                .parse()
                .map_err(|_unknown| inconsistent("why"))?,
            at: at()?,
        }),
        "exempted" => Ok(Authorisation::Exempted { at: at()? }),
        _ => Err(inconsistent("status")),
    }
}

impl TryFrom<authorisation::Model> for Run {
    type Error = DbError;

    fn try_from(row: authorisation::Model) -> Result<Self, DbError> {
        let object = match (row.consent, row.payment) {
            (Some(id), None) => Object::Consent(ConsentId::from(id)),
            (None, Some(id)) => Object::Payment(PaymentId::from(id)),
            (Some(_), Some(_)) | (None, None) => return Err(inconsistent("consent")),
        };
        Ok(Self {
            id: AuthorisationId::from(row.id),
            object,
            state: read_state(&row)?,
            shown: row.shown,
            choice: row.choice,
        })
    }
}
