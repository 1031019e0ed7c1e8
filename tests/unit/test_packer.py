"""What Packer's lines mean, as a real Packer 1.6.6 wrote them, and what people are told of them."""

import json
from pathlib import Path

import pytest

from corral.clients.packer import find_ansible, find_packer, read_variables, versions_in
from corral.clients.packer.events import Event, EventKind, read_event
from corral.clients.packer.faults import explain
from corral.errors import AccessDeniedError, CredentialsError, PackerError, PrerequisiteError
from corral.settings import PROJECT

DATA = Path(__file__).parent.parent / "data" / "packer"
WAY_IN = "look at its subnet."


def heard(name: str) -> list[Event]:
    events = (read_event(line) for line in (DATA / name).read_text().splitlines())
    return [event for event in events if event]


# lines


def test_what_packer_says_is_heard_once_and_without_its_marks():
    texts = [event.text for event in heard("no-ssh.csv") if event.kind is not EventKind.FAULT]

    assert len(texts) == len(set(texts)) + 3  # the tags of the builder and of its volumes
    assert texts[0] == "Prevalidating any provided VPC information"
    assert texts[-1] == "Deleting temporary keypair..."
    assert "No volumes to clean up, skipping" in texts


def test_a_failure_is_trouble_as_it_happens_and_a_fault_at_the_end():
    events = heard("no-ssh.csv")

    assert [event for event in events if event.kind is EventKind.TROUBLE] == [
        Event(EventKind.TROUBLE, "Timeout waiting for SSH.")
    ]
    assert events[-1] == Event(EventKind.FAULT, "Timeout waiting for SSH.")


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            "1795448151,amazon-ebs.node,artifact,0,id,us-east-1:ami-0123",
            Event(EventKind.IMAGE, "ami-0123"),
        ),
        ("1795448151,amazon-ebs.node,artifact,0,files-count,0", None),
        ("1795448151,,error-count,1", None),
        ("1795448151,,ui,say,", None),
        (
            "1795448151,,ui,message,    amazon-ebs.node: a%!(PACKER_COMMA) b\\r\\nc",
            Event(EventKind.DETAIL, "a, b\nc"),
        ),
        ("panic: runtime error", Event(EventKind.DETAIL, "panic: runtime error")),
        ("", None),
    ],
)
def test_each_kind_of_line(line, event):
    assert read_event(line) == event


def test_lines_of_one_message_lose_their_marks_too():
    event = read_event("1,,ui,error,==> amazon-ebs.node: Error\\n==> amazon-ebs.node: \tstatus 400")

    assert event == Event(EventKind.TROUBLE, "Error\n\tstatus 400")


# faults


def test_a_builder_that_never_answers_says_where_to_look():
    faults = [event.text for event in heard("no-ssh.csv") if event.kind is EventKind.FAULT]

    error = explain(faults, [], WAY_IN)

    assert str(error) == "The builder never answered by SSH: look at its subnet."


def test_ansibles_own_words_come_through_with_its_task():
    result = {
        "changed": False,
        "argument_errors": ["missing required arguments: base_server_operators"],
        "msg": "Validation of arguments failed:\nmissing required arguments: base_server_operators",
    }
    details = [
        "TASK [base_server : Validating arguments against arg spec main] ***********",
        f"fatal: [default]: FAILED! => {json.dumps(result)}",
        "PLAY RECAP *****",
    ]

    error = explain(["Error executing Ansible: Non-zero exit status: exit status 2"], details, "")

    assert str(error) == (
        "Ansible could not fill the image. The task `base_server : Validating arguments against arg"
        " spec main` failed: Validation of arguments failed: missing required arguments:"
        " base_server_operators"
    )


def test_an_ansible_that_came_to_no_task_is_quoted_as_packer_has_it():
    error = explain(["Error executing Ansible: Non-zero exit status: exit status 4"], [], "")

    assert str(error).endswith("Error executing Ansible: Non-zero exit status: exit status 4")


def test_credentials_that_are_none_are_told_as_such():
    error = explain(["NoCredentialProviders: no valid providers in chain. Deprecated."], [], "")

    assert isinstance(error, CredentialsError)


def test_a_right_that_lacks_is_named():
    words = (
        "UnauthorizedOperation: You are not authorized to perform this operation. User: arn:x is"
        " not authorized to perform: ec2:RunInstances on resource: y"
    )

    error = explain([words], [], "")

    assert isinstance(error, AccessDeniedError)
    assert error.action == "ec2:RunInstances"


def test_anything_else_is_quoted_in_one_line_and_cut():
    error = explain(["Error querying AMI:\n\tInvalidAMIID " + "x" * 3000], [], "")

    assert type(error) is PackerError
    assert "\n" not in str(error)
    assert len(str(error)) < 2100


# programs


def test_a_packer_that_is_not_there_is_told_with_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(PrerequisiteError, match=r"`apt-get install packer` on Debian"):
        find_packer(None)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("echo Packer v1.5.6", "Too old: packer 1.5.6 .*the template needs 1.6.6 or newer"),
        ("echo Terraform v1.11.4", "does not answer `version` as Packer does"),
        ("exit 3", "does not answer `version`"),
    ],
)
def test_a_program_that_is_no_packer_or_too_old_is_refused(tmp_path, answer, sentence):
    program = tmp_path / "packer"
    program.write_text(f"#!/bin/sh\n{answer}\n")
    program.chmod(0o755)

    with pytest.raises(PrerequisiteError, match=sentence):
        find_packer(program)


def test_a_newer_packer_is_taken(tmp_path):
    program = tmp_path / "packer"
    program.write_text("#!/bin/sh\necho Packer v1.10.0\n")
    program.chmod(0o755)

    assert find_packer(program).version == "1.10.0"


def test_a_configured_packer_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(PrerequisiteError, match="check CORRAL_PACKER"):
        find_packer(tmp_path / "packer")


def test_an_ansible_of_the_operators_choice_is_taken_or_refused(tmp_path):
    program = tmp_path / "ansible-playbook"
    with pytest.raises(PrerequisiteError, match="check CORRAL_ANSIBLE_PLAYBOOK"):
        find_ansible(program)

    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)

    assert find_ansible(program) == program


# what the roles are told


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"cannot be read \(No such file or directory\): correct bake.variables"),
        ("- a\n", "holds no mapping of names to values"),
        ("", "holds no mapping of names to values"),
        ("a: [", "is no YAML"),
    ],
)
def test_variables_that_are_none_are_told(tmp_path, content, sentence):
    path = tmp_path / "variables.yml"
    if content is not None:
        path.write_text(content)

    with pytest.raises(PrerequisiteError, match=sentence):
        read_variables(path)


def test_versions_are_those_that_the_roles_install():
    assert versions_in(PROJECT / "images", PROJECT / "node", {}) == {
        "docker": "19.03.15",
        "node": "0.1.0",
    }


def test_an_operators_own_version_comes_before_the_roles():
    told = {"docker_host_version": "5:18.09.9~3-0~debian-buster"}

    assert versions_in(PROJECT / "images", PROJECT / "node", told)["docker"] == "18.09.9"
