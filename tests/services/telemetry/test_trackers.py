import sys

import pytest

from services.errors import BadConfig
from services.telemetry.trackers import import_tracker


@pytest.mark.parametrize("name", ["mlflow", "wandb"])
def test_a_tracker_that_is_not_installed_says_how_to_install_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BadConfig, match=rf"--track {name} needs its package: pip install {name}"):
        import_tracker(name)
