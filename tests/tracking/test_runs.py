def test_system_metrics_are_logged_where_the_setting_asks_for_them(project, monkeypatch):
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.2")
    found = {}
    for wanted in (True, False):
        project.run("mlp", problem={"name": "system"}, tracking={"system_metrics": wanted})
        run_id, status = project.last_run()
        assert status == "FINISHED"
        rows = project.query(
            "select key, value from metrics where run_uuid=? and key like 'system/%'", run_id
        )
        found[wanted] = dict(rows)
    assert 0 < found[True]["system/system_memory_usage_percentage"] <= 100
    assert not found[False]
