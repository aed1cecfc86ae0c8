"""What the grid connector can be told (HUB_GRID_<FIELD>)."""

from datetime import date

from pydantic import Field, SecretStr

from connectors.http import HttpSettings


class GridSettings(HttpSettings):
    """Settings of the grid platform."""

    user: str = Field(min_length=1, description="Our user at the platform")
    password: SecretStr = Field(min_length=1, description="Password of that user, signs our calls")
    old_password: SecretStr | None = Field(
        None, min_length=1, description="The password before it, during a change: signs where the platform refuses the new one"
    )
    callback_user: str = Field(min_length=1, description="User in the platform's callbacks")
    callback_passwords: tuple[SecretStr, ...] = Field(
        min_length=1, description="Passwords that sign callbacks, newest first, comma separated"
    )
    callback_fresh_seconds: float = Field(600, gt=0, description="Seconds by which a callback's time may be off, both ways")
    overlap_seconds: float = Field(30, ge=1, description="Seconds by which reading stays behind, for what is written late")
    history_since: date | None = Field(None, description="First day to read changes of (Beijing); none: everything there is")
    tie_passes: int = Field(100, gt=0, description="Times that a second with more changes than a page is read until it is complete")
    busy_seconds: float = Field(2, gt=0, description="Seconds to wait after the platform said that it is busy")
    clock_skew_seconds: float = Field(60, gt=0, description="Seconds to wait after the platform said that our clock is off")
    repeat_seconds: float = Field(
        5, gt=0, description="Seconds after which an unanswered write, but no accept, is repeated; the platform knows repetitions"
    )

    @property
    def passwords(self) -> tuple[SecretStr, ...]:
        """Return the passwords that may sign our calls, the newest first."""
        return (self.password,) if self.old_password is None else (self.password, self.old_password)
