"""Links: every component on the way to a path, and whether the target is in a folder."""

from pathlib import Path

from sidecar.links import is_inside, steps_to
from tests.support.systems import needs_posix_paths


@needs_posix_paths
def test_the_way_to_a_path_has_every_link_and_every_folder(tmp_path: Path) -> None:
    """Relative and absolute links, `..` in them, and a link behind a link."""
    base = tmp_path.resolve()
    (base / "real" / "deep").mkdir(parents=True)
    (base / "a").mkdir()
    (base / "a" / "one").symlink_to("../two")
    (base / "two").symlink_to(base / "real")
    steps = steps_to(str(base / "a" / "one" / "deep" / "file"))
    below = [step[len(str(base)) + 1 :] for step in steps if step.startswith(f"{base}/")]
    assert below == ["a", "a/one", "two", "real", "real/deep", "real/deep/file"]
    assert steps[0] == f"/{base.parts[1]}"


def test_a_circle_of_links_ends(tmp_path: Path) -> None:
    """After as many links as the system follows."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert len(steps_to(str(tmp_path / "a" / "x"))) < 100


def test_what_does_not_exist_is_named_as_it_would_be(tmp_path: Path) -> None:
    """A root may appear later."""
    assert steps_to(str(tmp_path / "x" / "y"))[-1].endswith("y")


def test_inside_is_where_it_really_leads(tmp_path: Path) -> None:
    """By real paths; a folder whose name only begins with the same text is outside."""
    base = tmp_path.resolve()
    for name in ("root", "rooted"):
        (base / name).mkdir()
    (base / "root" / "out").symlink_to(base / "rooted")
    (base / "root" / "in").symlink_to(base / "root")
    assert is_inside(str(base / "root" / "in" / "x"), str(base / "root"))
    assert not is_inside(str(base / "root" / "out"), str(base / "root"))
    assert not is_inside(str(base / "rooted"), str(base / "root"))
