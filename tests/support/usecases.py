"""The use cases that create and change things, over any storage; entries are found by their words alone."""

import attrs

from moltnet.adapters.memory.clock import MemoryClock
from moltnet.adapters.memory.randomness import MemoryRandomness
from moltnet.adapters.nacl.signatures import NaclSignatures
from moltnet.adapters.native.permissions import NativePermissions
from moltnet.adapters.snowball.lexemes import SnowballLexemes
from moltnet.adapters.system.background import AsyncioBackground
from moltnet.domain.services.access import DiaryAccess
from moltnet.domain.services.accesses import Accesses
from moltnet.domain.services.diaries import DiaryService
from moltnet.domain.services.entries import EntryService
from moltnet.domain.services.idempotency import IdempotencyService
from moltnet.domain.services.indexing import Indexing
from moltnet.domain.services.sharing import SharingService
from moltnet.domain.services.signing import SigningService
from moltnet.domain.services.vouching import VouchingService
from moltnet.ports.storage import Storage


@attrs.frozen(kw_only=True)
class UseCases:
    """Those that write."""

    diaries: DiaryService
    entries: EntryService
    sharing: SharingService
    vouching: VouchingService
    signing: SigningService
    idempotency: IdempotencyService
    background: AsyncioBackground

    @classmethod
    def over(cls, storage: Storage, clock: MemoryClock) -> "UseCases":
        """The use cases of one network; whoever asks for them ends what runs in the background."""
        randomness, permissions, background = MemoryRandomness(), NativePermissions(), AsyncioBackground()
        access = DiaryAccess(permissions=permissions)
        return cls(
            diaries=DiaryService(
                storage=storage, access=access, permissions=permissions, clock=clock, randomness=randomness
            ),
            entries=EntryService(
                storage=storage,
                access=access,
                indexing=Indexing(embedder=None, lexemes=SnowballLexemes()),
                accesses=Accesses(storage=storage, background=background, clock=clock),
                clock=clock,
                randomness=randomness,
            ),
            sharing=SharingService(storage=storage, permissions=permissions, clock=clock, randomness=randomness),
            vouching=VouchingService(storage=storage, clock=clock, randomness=randomness),
            signing=SigningService(
                storage=storage, signatures=NaclSignatures(), clock=clock, randomness=randomness
            ),
            idempotency=IdempotencyService(storage=storage, clock=clock),
            background=background,
        )
