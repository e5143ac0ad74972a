"""``lifeecho token``: an access token, for scripts."""

import click

from lifeecho_server.accounts.secret import load_secret
from lifeecho_server.accounts.tokens import issue
from lifeecho_server.cli.options import with_settings
from lifeecho_server.cli.people import database
from lifeecho_server.clock import Clock, SystemClock
from lifeecho_server.settings import Settings
from lifeecho_server.store.people import find_user


@click.command("token")
@click.argument("user")
@click.option("--ttl", type=click.IntRange(min=1), help="Seconds that it is good for.")
@with_settings
def command(settings: Settings, user: str, ttl: int | None) -> None:
    """Print an access token for a user and nothing else."""
    with database(settings) as data:
        person = find_user(data.connection, user)
    seconds = settings.access_token_ttl if ttl is None else ttl
    click.echo(token_for(settings, person.id, SystemClock(), seconds))


def token_for(settings: Settings, user_id: str, clock: Clock, ttl: int) -> str:
    """Return an access token for a user, good for ``ttl`` seconds. Raises SecretUnreadable."""
    secret = load_secret(settings.data_dir)
    return issue(secret, user_id, now=clock.now(), ttl=ttl, jti=clock.new_id())
