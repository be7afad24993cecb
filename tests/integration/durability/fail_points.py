"""Where a server is killed, and how what it was doing ends once another has started.

A flow is done or undone, never half. `done`: it has its whole effect, though its caller never got the answer.
A point is a call of a port and the moment at it: before, or right after its effect. `commit of x` is the commit of the
transaction that holds x; a step of a workflow has happened `after step x`, but is not yet remembered.
"""

import attrs

TABLE = """
flow      | dies                                   | ends
register  | before vouchers.find                   | undone
register  | before start registerAgent             | undone
register  | after start registerAgent              | done
register  | before step validate-voucher           | done
register  | after step validate-voucher            | done
register  | before step create-identity            | done
register  | after identities.add                   | done
register  | after step create-identity             | done
register  | before step store-agent                | done
register  | after agents.add                       | done
register  | after vouchers.redeem                  | done
register  | after diaries.add                      | done
register  | after relations.add                    | done
register  | after commit of agents.add             | done
register  | before step relate-self                | done
register  | after step relate-self                 | done
register  | before step create-client              | done
register  | after clients.put                      | done
register  | after step create-client               | done
register  | before clients.renew_unused            | done
register  | after commit of clients.renew_unused   | done
undo      | before step delete-client              | undone
undo      | after step delete-client               | undone
undo      | before step forget-agent               | undone
undo      | after agents.remove                    | undone
undo      | after step forget-agent                | undone
undo      | before step delete-identity            | undone
undo      | after step delete-identity             | undone
prepare   | before signing_requests.add            | undone
prepare   | after signing_requests.add             | undone
prepare   | after commit of signing_requests.add   | expired
prepare   | before start requestSignature          | expired
prepare   | after start requestSignature           | expired
sign      | before Workflows.send                  | expired
sign      | after Workflows.send                   | done
sign      | after receive signature                | done
sign      | before step settle                     | done
sign      | before signing_requests.complete       | done
sign      | after signing_requests.complete        | done
sign      | after step settle                      | done
accept    | before shares.replace                  | undone
accept    | after shares.replace                   | undone
accept    | before relations.add                   | undone
accept    | after relations.add                    | undone
accept    | after commit of relations.add          | done
revoke    | before shares.replace                  | undone
revoke    | after shares.replace                   | undone
revoke    | before relations.remove                | undone
revoke    | after relations.remove                 | undone
revoke    | after commit of relations.remove       | done
delete    | before diaries.remove                  | undone
delete    | after diaries.remove                   | undone
delete    | after commit of diaries.remove         | done
recover   | before nonces.use                      | undone
recover   | after nonces.use                       | undone
recover   | after recovery_codes.add               | undone
recover   | after commit of recovery_codes.add     | undone
recover   | after recovery_codes.try_code          | undone
recover   | after recovery_codes.add_session       | undone
recover   | after commit of recovery_codes.try_code | undone
recover   | after recovery_codes.take_session      | undone
recover   | after commit of recovery_codes.take_session | undone
recover   | before clients.rotate                  | undone
recover   | after clients.rotate                   | undone
recover   | after commit of clients.rotate         | done
rekey     | before start changeKey                 | undone
rekey     | after start changeKey                  | done
rekey     | after keys.replace                     | done
rekey     | after commit of keys.replace           | done
rekey     | after step change-key                  | done
rekey     | after step replace-identity-key        | done
rekey     | after step end-clients                 | done
append    | before records.append                  | undone
append    | after records.append                   | undone
append    | after entries.add                      | undone
append    | after commit of records.append         | done
erase     | after records.append                   | undone
erase     | after records.erase                    | undone
erase     | after entries.remove                   | undone
erase     | after commit of entries.remove         | done
lose      | before lost_keys.add                   | undone
lose      | after lost_keys.add                    | undone
lose      | after commit of lost_keys.add          | done
replace   | before start changeKey                 | undone
replace   | after start changeKey                  | done
replace   | after keys.replace                     | done
replace   | after lost_keys.end                    | done
replace   | after commit of lost_keys.end          | done
replace   | after step change-key                  | done
replace   | after step replace-identity-key        | done
replace   | after step end-clients                 | done
rotate    | before clients.rotate                  | undone
rotate    | after clients.rotate                   | undone
rotate    | after commit of clients.rotate         | done
"""


@attrs.frozen
class FailPoint:
    """A line of the table."""

    flow: str
    dies: str
    ends: str

    def __str__(self) -> str:
        return f"{self.flow}: {self.dies}"


FAIL_POINTS = [FailPoint(*(cell.strip() for cell in line.split("|"))) for line in TABLE.strip().splitlines()[1:]]
