"""The one door to the sigstore library (public API only). Nothing else imports it."""
