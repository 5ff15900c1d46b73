//! Rows of the authorization server.

use branchline_db::DbError;
use branchline_kernel::TppId;
use branchline_oauth::{
    AuthorizationCode, AuthorizationRequest, ClientId, CodeState, OAuthError, PushedState,
    ResourceScope, Role, Roles, ServiceScope, TokenState,
};

use super::codes::GrantId;
use super::pushed::{Pushed, PushedKey};
use super::tokens::{AccessToken, TokenScope};

pub(super) mod pushed_request {
    //! `pushed_request`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "pushed_request")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) tpp: Uuid,
        pub(crate) redirect_uri: String,
        pub(crate) scope: String,
        pub(crate) state: Option<String>,
        pub(crate) code_challenge: String,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) completed_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod oauth_grant {
    //! `oauth_grant`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "oauth_grant")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) id: Uuid,
        pub(crate) tpp: Uuid,
        pub(crate) scope: String,
        pub(crate) created_at: DateTimeUtc,
        pub(crate) revoked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod authorization_code {
    //! `authorization_code`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "authorization_code")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) oauth_grant: Uuid,
        pub(crate) tpp: Uuid,
        pub(crate) redirect_uri: String,
        pub(crate) code_challenge: String,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) redeemed_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod access_token {
    //! `access_token`.

    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "access_token")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) hash: Vec<u8>,
        pub(crate) tpp: Uuid,
        pub(crate) oauth_grant: Option<Uuid>,
        pub(crate) scope: String,
        pub(crate) issued_at: DateTimeUtc,
        pub(crate) expires_at: DateTimeUtc,
        pub(crate) revoked_at: Option<DateTimeUtc>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub(crate) enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

fn inconsistent(table: &'static str, column: &'static str) -> DbError {
    DbError::Inconsistent { table, column }
}

fn unknown_scope(_refused: OAuthError) -> DbError {
    inconsistent("access_token", "scope")
}

pub(super) fn read_granted(row: &oauth_grant::Model) -> Result<ResourceScope, DbError> {
    let scope = row.scope.parse();
    scope.map_err(|_refused| inconsistent("oauth_grant", "scope"))
}

impl TryFrom<pushed_request::Model> for Pushed {
    type Error = DbError;

    fn try_from(row: pushed_request::Model) -> Result<Self, DbError> {
        let redirect_uri = row.redirect_uri.try_into();
        let request = AuthorizationRequest {
            client: ClientId::of(TppId::from(row.tpp)),
            redirect_uri: redirect_uri
                .map_err(|_refused| inconsistent("pushed_request", "redirect_uri"))?,
            scope: row
                .scope
                .parse()
                .map_err(|_refused| inconsistent("pushed_request", "scope"))?,
            state: row.state,
            challenge: row
                .code_challenge
                .parse()
                .map_err(|_refused| inconsistent("pushed_request", "code_challenge"))?,
        };
        Ok(Self {
            key: PushedKey(row.hash),
            request,
            state: match row.completed_at {
                Some(at) => PushedState::Completed { at },
                None => PushedState::Open {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}

impl TryFrom<authorization_code::Model> for AuthorizationCode {
    type Error = DbError;

    fn try_from(row: authorization_code::Model) -> Result<Self, DbError> {
        let redirect_uri = row.redirect_uri.try_into();
        Ok(Self {
            client: ClientId::of(TppId::from(row.tpp)),
            redirect_uri: redirect_uri
                .map_err(|_refused| inconsistent("authorization_code", "redirect_uri"))?,
            challenge: row
                .code_challenge
                .parse()
                .map_err(|_refused| inconsistent("authorization_code", "code_challenge"))?,
            state: match row.redeemed_at {
                Some(at) => CodeState::Redeemed { at },
                None => CodeState::Issued {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}

impl TryFrom<access_token::Model> for AccessToken {
    type Error = DbError;

    fn try_from(row: access_token::Model) -> Result<Self, DbError> {
        let scope = match row.oauth_grant {
            Some(grant) => {
                TokenScope::Granted(row.scope.parse().map_err(unknown_scope)?, GrantId(grant))
            }
            None => {
                // The roles were checked when the token was issued and are checked at each call.
                let all = Roles::try_from(vec![Role::Aisp, Role::Pisp]).map_err(unknown_scope)?;
                let scope = ServiceScope::parse(Some(&row.scope), &all);
                TokenScope::Service(scope.map_err(unknown_scope)?)
            }
        };
        Ok(Self {
            client: ClientId::of(TppId::from(row.tpp)),
            scope,
            state: match row.revoked_at {
                Some(at) => TokenState::Revoked { at },
                None => TokenState::Active {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}
