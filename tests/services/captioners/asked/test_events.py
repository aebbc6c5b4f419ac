from services.captioners.asked.events import state_events


def test_two_events_have_times_and_a_distance_and_the_number_is_what_options_may_match() -> None:
    told = state_events([0.0, 7.02], ("2", "3"))
    assert told.text == "Number of separate events: 2, at 0.0 and 7.0 s, 7.0 s apart."
    assert [label.text for label in told.labels] == ["2"]


def test_many_events_are_counted_without_their_times() -> None:
    assert state_events([0.3 * one for one in range(30)], ()).text == "Number of separate events: 30, 0.3 s apart."
    assert state_events([0.1, 0.4, 2.0], ()).text == "Number of separate events: 3, at 0.1, 0.4 and 2.0 s."


def test_durations_ask_for_the_distance() -> None:
    told = state_events([0.0, 3.1], ("about 2 seconds", "about 3 seconds", "about 8 seconds"))
    (label,) = told.labels
    assert label.text == "about 3 seconds"
    assert label.probability is not None and label.probability > 0.9


def test_where_no_duration_fits_the_number_speaks_for_none() -> None:
    for times_s in ([0.0, 30.0], [0.0, 1.0, 4.0]):
        told = state_events(times_s, ("2 seconds", "3 seconds"))
        assert "Number" not in told.text and "." in told.labels[0].text  # times, which support no option
