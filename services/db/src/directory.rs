//! Look-ups in the register: tenants by their public name, issuers, bank codes.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use branchline_kernel::{Currency, Iban, TenantId, TenantSlug, Timestamp};
use chrono::TimeDelta;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::config::CellId;
use crate::door::{Access, Db};
use crate::error::DbError;
use crate::placement::Located;
use crate::tx::PlatformTx;
use crate::values::Values;

/// A tenant as the register knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its opaque name.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: TenantSlug,
    /// What people call it.
    pub name: String,
    /// The two letters of its country.
    pub country: String,
    /// The currency it reports in.
    pub currency: Currency,
}

/// Who signs in people of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The `iss` of its tokens.
    pub issuer: String,
    /// The tenant whose people it knows.
    pub tenant: TenantId,
    /// Where its public keys are.
    pub jwks_uri: String,
    /// Our client there.
    pub client_id: String,
}

/// Tenants seen lately.
#[derive(Debug, Default)]
pub(crate) struct Directory(RwLock<HashMap<TenantSlug, (Tenant, Timestamp)>>);

const REMEMBERED: TimeDelta = TimeDelta::seconds(10);

const TENANT_BY_SLUG: &str = "SELECT id, slug, name, country, currency FROM tenant WHERE slug = $1";
const ALL_TENANTS: &str = "SELECT id, slug, name, country, currency FROM tenant ORDER BY slug";
const ALL_ISSUERS: &str =
    "SELECT issuer, tenant, jwks_uri, client_id FROM tenant_issuer ORDER BY issuer";
const PLACEMENT: &str = "SELECT cell, epoch FROM tenant_placement WHERE tenant = $1";
// A bank code is a prefix of the BBAN; the longest that is registered wins.
const TENANT_OF_BBAN: &str = "SELECT tenant FROM bank_code \
WHERE country = $1 AND starts_with($2, code) ORDER BY length(code) DESC LIMIT 1";

impl Db {
    /// The tenant with that public name.
    ///
    /// # Errors
    /// [`DbError`] when the register does not answer.
    pub async fn find_tenant(&self, slug: &TenantSlug) -> Result<Option<Tenant>, DbError> {
        let now = self.clock().now();
        if let Some(known) = self.directory().recall(slug, now) {
            return Ok(Some(known));
        }
        let tx = self.platform(Access::Read).await?;
        let rows = tx
            .named(TENANT_BY_SLUG, Values::new().with(slug.as_str()))
            .await?;
        tx.rollback().await?;
        let found = rows.first().map(read_tenant).transpose()?;
        if let Some(tenant) = &found {
            self.directory().remember(tenant, now);
        }
        Ok(found)
    }

    /// All tenants, by public name.
    ///
    /// # Errors
    /// [`DbError`] when the register does not answer.
    pub async fn tenants(&self) -> Result<Vec<Tenant>, DbError> {
        let tx = self.platform(Access::Read).await?;
        let rows = tx.named(ALL_TENANTS, Values::new()).await?;
        tx.rollback().await?;
        rows.iter().map(read_tenant).collect()
    }

    /// All issuers.
    ///
    /// # Errors
    /// [`DbError`] when the register does not answer.
    pub async fn issuers(&self) -> Result<Vec<Issuer>, DbError> {
        let tx = self.platform(Access::Read).await?;
        let rows = tx.named(ALL_ISSUERS, Values::new()).await?;
        tx.rollback().await?;
        rows.iter().map(read_issuer).collect()
    }

    /// The tenant that holds the account of that IBAN, if it is one of this installation.
    ///
    /// # Errors
    /// [`DbError`] when the register does not answer.
    pub async fn find_tenant_of(&self, iban: &Iban) -> Result<Option<TenantId>, DbError> {
        let tx = self.platform(Access::Read).await?;
        let values = Values::new().with(iban.country()).with(iban.bban());
        let rows = tx.named(TENANT_OF_BBAN, values).await?;
        tx.rollback().await?;
        rows.first().map(|row| tenant_id(row, "tenant")).transpose()
    }
}

impl Directory {
    fn recall(&self, slug: &TenantSlug, now: Timestamp) -> Option<Tenant> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (tenant, at) = seen.get(slug)?;
        (now.signed_duration_since(at) < REMEMBERED).then(|| tenant.clone())
    }

    fn remember(&self, tenant: &Tenant, now: Timestamp) {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        seen.insert(tenant.slug.clone(), (tenant.clone(), now));
    }
}

pub(crate) async fn placement_of(tx: &PlatformTx, tenant: &TenantId) -> Result<Located, DbError> {
    let rows = tx
        .named(PLACEMENT, Values::new().with(tenant.as_str()))
        .await?;
    let row = rows
        .first()
        .ok_or_else(|| DbError::UnknownCell(tenant.to_string()))?;
    let cell: String = row.try_get("cell")?;
    Ok(Located {
        cell: CellId::new(&cell),
        epoch: row.try_get("epoch")?,
    })
}

fn tenant_id(row: &PgRow, column: &'static str) -> Result<TenantId, DbError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_malformed| DbError::Inconsistent {
        table: "tenant",
        column,
    })
}

fn read_tenant(row: &PgRow) -> Result<Tenant, DbError> {
    let slug: String = row.try_get("slug")?;
    let currency: String = row.try_get("currency")?;
    let inconsistent = |column| DbError::Inconsistent {
        table: "tenant",
        column,
    };
    Ok(Tenant {
        id: tenant_id(row, "id")?,
        slug: slug.parse().map_err(|_malformed| inconsistent("slug"))?,
        name: row.try_get("name")?,
        country: row.try_get("country")?,
        currency: currency
            .parse()
            .map_err(|_unknown| inconsistent("currency"))?,
    })
}

fn read_issuer(row: &PgRow) -> Result<Issuer, DbError> {
    Ok(Issuer {
        issuer: row.try_get("issuer")?,
        tenant: tenant_id(row, "tenant")?,
        jwks_uri: row.try_get("jwks_uri")?,
        client_id: row.try_get("client_id")?,
    })
}
