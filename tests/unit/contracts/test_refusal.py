from contracts.refusal import DETAIL_BYTES_MAX, Code, refusal


def test_a_refusal_names_field_expectation_and_finding() -> None:
    refused = refusal(Code.UNKNOWN_METER, "meter_id", expected="a meter", got="'x'")

    assert type(refused.code) is str
    assert refused.code == "UNKNOWN_METER"
    assert refused.detail == "meter_id: expected a meter, got 'x'"


def test_every_code_is_its_own_name() -> None:
    assert all(code.name == code.value for code in Code)


def test_a_detail_that_a_receipt_can_hold_is_kept_whole() -> None:
    overhead = len("f: expected , got ")
    refused = refusal(
        Code.WRONG_STATE, "f", expected="x" * (DETAIL_BYTES_MAX - overhead - 1), got="y"
    )

    assert len(refused.detail) == 1_024
    assert refused.detail.endswith("got y")


def test_a_longer_detail_is_cut_between_characters() -> None:
    overhead = len("f: expected , got ")
    refused = refusal(Code.WRONG_STATE, "f", expected="碳" * 400, got="y")

    assert refused.detail == "f: expected " + "碳" * ((1_024 - overhead + len(", got ")) // 3)
    assert len(refused.detail.encode()) <= 1_024
