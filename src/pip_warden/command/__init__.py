"""Any command behind the gate: ``pip-warden run``.

``model`` the values; ``origins`` the registries answered for; ``backend`` the gate as the registries'
own paths see it, ``groups`` the numbers that GitLab has for groups; ``locks`` what lock files gained,
``installed`` what environments did, with the receipts; ``run`` the order of a run.
"""
