"""What `python -m mocks` is told."""

from pathlib import Path

import pytest

from mocks.config import Config, ConfigError, complete_settings, read_config


def test_missing_secrets_are_made_up_and_common_settings_hold_for_all() -> None:
    config = Config(hub_url="http://hub", time_scale=0.01, grid={"password": "given", "time_scale": 1.0})
    one, two = complete_settings(config), complete_settings(config)
    assert one.grid.password == "given"
    assert (one.grid.time_scale, one.credit.time_scale, one.credit.hub_url) == (1.0, 0.01, "http://hub")
    assert one.enforcement.secrets != two.enforcement.secrets
    assert one.credit.webhook_secrets[0].startswith("whsec_")


def test_a_setting_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"grid: no setting pasword; there are callback_password"):
        complete_settings(Config(grid={"pasword": "x"}))
    with pytest.raises(ConfigError, match="enforcement: Expected `array`"):
        complete_settings(Config(enforcement={"secrets": "x"}))
    file = tmp_path / "mocks.json"
    file.write_text('{"sead": 1}')
    with pytest.raises(ConfigError, match=r"mocks\.json: .*sead"):
        read_config(file)
