//! HTTP of the gateway: XS2A, OAuth, onboarding, consent and SCA pages.
