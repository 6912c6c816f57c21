"""An embedded GitLab: projects, package registries, packages API, tokens, OIDC issuer."""
