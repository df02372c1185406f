import re

import mlflow
import pytest

from layerwise.tracking import find_model


@pytest.fixture(scope="module")
def client(finished):
    return mlflow.MlflowClient(f"sqlite:///{finished.path}/mlflow.db")


def of_one_run(client):
    """The champion among the stacks, and the network that its run fine-tuned: others' runs may have another one."""
    stack = client.get_model_version_by_alias("digits.dbn", "champion")
    (network,) = client.search_model_versions(f"name='digits' and run_id='{stack.run_id}'")
    return network, stack


def test_a_pretrained_stack_is_registered_beside_the_network_that_was_fine_tuned(finished, client):
    network, stack = of_one_run(client)
    assert (network.tags["test.metric"], stack.tags["test.metric"]) == ("error", "log_prob_bound")
    assert stack.tags["model.latent_size"] == "30"
    assert "reconstruction_mse" in stack.description
    assert "| error" not in stack.description  # which is the other network's


def test_a_runs_id_is_its_supervised_network_and_its_stack_has_a_name(finished, client):
    run_id = of_one_run(client)[0].run_id
    uri = client.tracking_uri
    kinds = {
        reference: find_model(reference, uri).manifest.registered_name
        for reference in (run_id, f"runs:/{run_id}/model", f"runs:/{run_id}/stack", "digits.dbn@champion")
    }
    assert list(kinds.values()) == ["digits", "digits", "digits.dbn", "digits.dbn"]


def test_a_model_carries_this_package_and_names_packages_that_an_index_has(finished, client):
    source = client.get_model_version_by_alias("digits.dbn", "champion").source
    folder = finished.path / "mlruns/models" / source.removeprefix("models:/") / "artifacts"
    lines = (folder / "requirements.txt").read_text().splitlines()
    own = next(line for line in lines if line.startswith("layerwise=="))
    assert (folder / f"wheels/{own.replace('==', '-')}-py3-none-any.whl").is_file()
    assert not any("+" in line for line in lines if line != own)


def test_rbms_of_any_size_follow_each_other_as_champions_by_their_likelihood_of_unseen_rows(project):
    client = mlflow.MlflowClient(f"sqlite:///{project.path}/mlflow.db")

    def run(n_hidden, epochs, **params):
        settings = {"n_hidden": n_hidden, "epochs": epochs, "chain": "data"}
        learning = {"learning_rate": 0.1 if epochs > 1 else 1e-9, "final_learning_rate": None}
        plain = {"probe": False, "classification_rbm": False}
        last = ["evaluation.measure_likelihood_rbm", "reporting.plot_learning_curves_rbm"]
        project.run(
            "rbm", problem={"name": "likely"}, rbm=settings | learning | plain, to_nodes=last, **params
        )
        run_id, _ = project.last_run()
        ((said,),) = project.query(
            "select value from tags where key like 'registered%' and run_uuid=?", run_id
        )
        return str(client.get_model_version_by_alias("likely.rbm", "champion").version), said

    assert run(4, 1)[0] == "1"
    # A larger one that has learnt; its split is another one, so that the champion has seen some of the test rows.
    number, said = run(6, 3, split={"seed": 7})
    assert number == "2"
    assert re.search(
        r"new champion: log_prob .* rows that neither has seen \(\d{3} that it has seen left out", said
    )
