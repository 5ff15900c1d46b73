//! Keycloak's side of a tenant: its realm, made and kept through the Admin API.
//!
//! # Invariants
//! - Provisioning again changes settings back, adds who is missing, and leaves passwords, secrets
//!   and people's ids as they are.
//! - Neither client gets roles that are not ours ("full scope allowed" is off).

mod representations;

#[cfg(test)]
mod tests;

use branchline_kernel::{Secret, TenantSlug};
use keycloak::types::{ClientRepresentation, RoleRepresentation};
use keycloak::{KeycloakAdmin as Api, KeycloakAdminToken, KeycloakError, KeycloakRealmAdmin};
use serde::Deserialize;

use super::{
    CLI_CLIENT, GATEWAY_CLIENT, IdentityError, Person, ProvisionedPerson, Realm, RealmSpec,
    is_loopback,
};
use crate::Job;

/// How to reach Keycloak's Admin API.
pub struct KeycloakConfig {
    /// Keycloak's base address, such as `https://id.example`.
    pub url: String,
    /// An account of the realm `master` that may create realms.
    pub username: String,
    /// Its password.
    pub password: Secret<String>,
    /// Whether people must replace the passwords they are given; off in profile `dev` only.
    pub are_passwords_temporary: bool,
}

/// Provisions realms at a Keycloak.
pub struct KeycloakAdmin {
    config: KeycloakConfig,
    http: reqwest::Client,
}

type RealmApi<'a> = KeycloakRealmAdmin<'a, KeycloakAdminToken>;

/// A realm being provisioned, for telling what failed where.
struct Work<'a> {
    realm: &'a str,
    api: RealmApi<'a>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl KeycloakAdmin {
    /// Remembers where Keycloak is; nothing is called yet.
    ///
    /// # Errors
    /// [`IdentityError::PlainHttp`] when the password would travel readable.
    pub fn try_new(config: KeycloakConfig, http: reqwest::Client) -> Result<Self, IdentityError> {
        if !config.url.starts_with("https://") && !is_loopback(&config.url) {
            return Err(IdentityError::PlainHttp { url: config.url });
        }
        let url = config.url.trim_end_matches('/').to_owned();
        Ok(Self {
            config: KeycloakConfig { url, ..config },
            http,
        })
    }

    /// Makes or mends the tenant's realm.
    ///
    /// # Errors
    /// [`IdentityError`] naming the step that failed; calling again goes on from there.
    pub async fn provision(&self, spec: &RealmSpec) -> Result<Realm, IdentityError> {
        let name = realm_name(&spec.slug);
        let admin = self.sign_in(&name).await?;
        let work = Work {
            realm: &name,
            api: admin.realm(&name),
        };
        self.ensure_realm(&admin, &work, spec).await?;
        let roles = work.ensure_roles().await?;
        let gateway = representations::gateway_client(&spec.redirect_uris);
        let gateway = work.ensure_client(GATEWAY_CLIENT, gateway, &roles).await?;
        let cli = representations::cli_client();
        work.ensure_client(CLI_CLIENT, cli, &roles).await?;
        let client_secret = work.client_secret(&gateway).await?;
        let mut people = Vec::with_capacity(spec.people.len());
        for person in &spec.people {
            let temporary = self.config.are_passwords_temporary;
            people.push(work.ensure_person(person, &roles, temporary).await?);
        }
        let Discovery { issuer, jwks_uri } = self.discover(&name).await?;
        Ok(Realm {
            issuer,
            jwks_uri,
            client_id: GATEWAY_CLIENT.to_owned(),
            client_secret,
            cli_client_id: CLI_CLIENT.to_owned(),
            people,
        })
    }

    /// Removes the tenant's realm with everybody in it; one that is not there is fine.
    ///
    /// # Errors
    /// [`IdentityError::Keycloak`].
    pub async fn delete_realm(&self, slug: &TenantSlug) -> Result<(), IdentityError> {
        let name = realm_name(slug);
        let admin = self.sign_in(&name).await?;
        match admin.realm(&name).delete().await {
            Ok(_) => Ok(()),
            Err(error) if has_status(&error, 404) => Ok(()),
            Err(error) => Err(failed(&name, "delete the whole", error)),
        }
    }

    /// The crate takes a new token for every call unless it is handed one; ours lives a minute,
    /// which provisioning one realm needs a small part of.
    async fn sign_in(&self, realm: &str) -> Result<Api, IdentityError> {
        let KeycloakConfig { url, username, .. } = &self.config;
        let password = self.config.password.expose();
        let token = KeycloakAdminToken::acquire(url, username, password, &self.http)
            .await
            .map_err(|error| failed(realm, "sign in for the sake", error))?;
        Ok(Api::new(url, token, self.http.clone()))
    }

    async fn ensure_realm(
        &self,
        admin: &Api,
        work: &Work<'_>,
        spec: &RealmSpec,
    ) -> Result<(), IdentityError> {
        let needs_tls = self.config.url.starts_with("https://");
        let settings = || representations::realm(work.realm, &spec.name, needs_tls);
        match admin.post(settings()).await {
            Ok(_) => {}
            Err(error) if has_status(&error, 409) => {
                let changed = work.api.put(settings()).await;
                changed.map_err(|error| work.failed("change the settings", error))?;
            }
            Err(error) => return Err(work.failed("create the whole", error)),
        }
        work.relax_profile().await
    }

    async fn discover(&self, realm: &str) -> Result<Discovery, IdentityError> {
        let failed = |source| IdentityError::Discovery {
            realm: realm.to_owned(),
            source: Box::new(source),
        };
        let url = format!(
            "{}/realms/{realm}/.well-known/openid-configuration",
            self.config.url
        );
        let answer = self.http.get(url).send().await.map_err(failed)?;
        let answer = answer.error_for_status().map_err(failed)?;
        answer.json().await.map_err(failed)
    }
}

impl Work<'_> {
    fn failed(&self, step: &'static str, error: KeycloakError) -> IdentityError {
        failed(self.realm, step, error)
    }

    fn incomplete(&self, what: &'static str) -> IdentityError {
        IdentityError::Incomplete {
            what,
            realm: self.realm.to_owned(),
        }
    }

    /// By default Keycloak stops everybody at their first login who has no email address and two
    /// names; members of a village institution have neither.
    async fn relax_profile(&self) -> Result<(), IdentityError> {
        let step = "read the user profile";
        let profile = self.api.users_profile_get().await;
        let mut profile = profile.map_err(|error| self.failed(step, error))?;
        let attributes = profile.attributes.iter_mut().flatten();
        let mut is_changed = false;
        for attribute in attributes.filter(|attribute| attribute.required.is_some()) {
            if attribute.name.as_deref() != Some("username") {
                attribute.required = None;
                is_changed = true;
            }
        }
        if is_changed {
            let changed = self.api.users_profile_put(profile).await;
            changed.map_err(|error| self.failed("change the user profile", error))?;
        }
        Ok(())
    }

    /// The realm's roles for our jobs, as Keycloak wants them in mappings.
    async fn ensure_roles(&self) -> Result<Vec<RoleRepresentation>, IdentityError> {
        for job in Job::ALL {
            match self.api.roles_post(representations::role(job)).await {
                Ok(_) => {}
                Err(error) if has_status(&error, 409) => {}
                Err(error) => return Err(self.failed("create a role", error)),
            }
        }
        let all = self.api.roles_get().await;
        let mut roles = all.map_err(|error| self.failed("list the roles", error))?;
        roles.retain(|role| {
            let name = role.name.as_deref().unwrap_or_default();
            Job::find_by_role(name).is_some()
        });
        Ok(roles)
    }

    /// Makes or mends a client and gives back Keycloak's own id of it.
    async fn ensure_client(
        &self,
        client_id: &str,
        client: ClientRepresentation,
        roles: &[RoleRepresentation],
    ) -> Result<String, IdentityError> {
        let id = match self.api.clients_post(client.clone()).await {
            Ok(made) => made.to_id().map(str::to_owned),
            Err(error) if has_status(&error, 409) => {
                let id = self.client_uuid(client_id).await?;
                let changed = self.api.clients_with_client_uuid_put(&id, client).await;
                changed.map_err(|error| self.failed("change a client", error))?;
                Some(id)
            }
            Err(error) => return Err(self.failed("create a client", error)),
        };
        let id = id.ok_or_else(|| self.incomplete("the id of a client"))?;
        self.api
            .clients_with_client_uuid_scope_mappings_realm_post(&id, roles.to_vec())
            .await
            .map_err(|error| self.failed("give a client its roles", error))?;
        Ok(id)
    }

    async fn client_uuid(&self, client_id: &str) -> Result<String, IdentityError> {
        let found = self.api.clients_get().client_id(client_id.to_owned()).await;
        let found = found.map_err(|error| self.failed("find a client", error))?;
        let client = found.into_iter().next();
        client
            .and_then(|client| client.id)
            .ok_or_else(|| self.incomplete("the id of a client"))
    }

    async fn client_secret(&self, id: &str) -> Result<Secret<String>, IdentityError> {
        let credential = self
            .api
            .clients_with_client_uuid_client_secret_get(id)
            .await;
        credential
            .map_err(|error| self.failed("read the client secret", error))?
            .value
            .map(Secret::new)
            .ok_or_else(|| self.incomplete("the client secret"))
    }

    async fn ensure_person(
        &self,
        person: &Person,
        roles: &[RoleRepresentation],
        is_password_temporary: bool,
    ) -> Result<ProvisionedPerson, IdentityError> {
        let user = representations::user(person, is_password_temporary);
        let subject = match self.api.users_post(user).await {
            Ok(made) => made.to_id().map(str::to_owned),
            Err(error) if has_status(&error, 409) => self.subject_of(&person.username).await?,
            Err(error) => return Err(self.failed("add a person", error)),
        };
        let subject = subject.ok_or_else(|| self.incomplete("the id of a person"))?;
        let held = roles.iter().filter(|role| {
            let job = role.name.as_deref().and_then(Job::find_by_role);
            job.is_some_and(|job| person.jobs.contains(&job))
        });
        self.api
            .users_with_user_id_role_mappings_realm_post(&subject, held.cloned().collect())
            .await
            .map_err(|error| self.failed("give a person their jobs", error))?;
        Ok(ProvisionedPerson {
            username: person.username.clone(),
            subject,
        })
    }

    async fn subject_of(&self, username: &str) -> Result<Option<String>, IdentityError> {
        let search = self
            .api
            .users_get()
            .username(username.to_owned())
            .exact(true);
        let found = search.await;
        let found = found.map_err(|error| self.failed("find a person", error))?;
        Ok(found.into_iter().next().and_then(|user| user.id))
    }
}

/// One installation owns its Keycloak's realms of this prefix.
fn realm_name(slug: &TenantSlug) -> String {
    format!("branchline-{slug}")
}

fn failed(realm: &str, step: &'static str, error: KeycloakError) -> IdentityError {
    IdentityError::Keycloak {
        step,
        realm: realm.to_owned(),
        source: Box::new(error),
    }
}

fn has_status(error: &KeycloakError, wanted: u16) -> bool {
    match error {
        KeycloakError::HttpFailure { status, .. } => *status == wanted,
        KeycloakError::ReqwestFailure(_) => false,
    }
}
