"""Sets the project's URL from the pipeline; the version comes from PACKAGE_VERSION by hatchling's own ``env`` source."""

import os
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Fills in what pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Name the GitLab project as the homepage."""
        metadata["urls"] = {
            "Homepage": os.environ.get("CI_PROJECT_URL", "https://gitlab.com/acme/acme-widgets")
        }
