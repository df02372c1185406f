import subprocess

from layerwise.tracking.environment import run_tags


def test_a_run_names_the_commit_of_its_code(tmp_path):
    def git(*arguments):
        command = ["git", "-c", "user.name=n", "-c", "user.email=e", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout.strip()

    assert "mlflow.source.git.commit" not in run_tags(tmp_path, "digits", "dbn")
    git("init")
    git("commit", "--allow-empty", "-m", "first")
    assert run_tags(tmp_path, "digits", "dbn")["mlflow.source.git.commit"] == git("rev-parse", "HEAD")
