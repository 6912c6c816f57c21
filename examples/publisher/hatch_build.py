"""Sets the project's URL from the pipeline; hatchling's ``env`` source sets the version (PACKAGE_VERSION)."""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Fills in the fields that pyproject.toml declares dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set the GitLab project as the homepage."""
        metadata["urls"] = {
            "Homepage": os.environ.get("CI_PROJECT_URL", "https://gitlab.com/acme/acme-widgets")
        }
