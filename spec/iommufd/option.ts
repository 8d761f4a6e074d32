// SPDX-License-Identifier: MIT
// IOMMU_OPTION: iommufd_option() in drivers/iommu/iommufd/main.c, and the options in ioas.c.

import { decode, fieldBytes, fieldOf, type Values } from '../abi/layout.ts';
import {
  IOMMU_OPTION,
  OPTION_HUGE_PAGES,
  OPTION_OP_GET,
  OPTION_OP_SET,
  OPTION_RLIMIT_MODE,
} from '../abi/native.ts';
import { withLargePages, withoutLargePages } from '../iopt/large-pages.ts';
import { write } from '../knowledge/user-copy.ts';
import { failed, failedBy, type Outcome, succeeded } from '../outcome/outcome.ts';
import { ioasAt, withTable } from '../state/context.ts';
import { type World, withContext } from '../state/world.ts';
import { grants, isRefused, type Rule, refuses, rulesOf } from '../terms/rule.ts';
import { addressOf, contextOfRequest, type Handler, type Request } from './request.ts';

const RLIMIT = 'iommufd_option_rlimit_mode() in drivers/iommu/iommufd/ioas.c';
const HUGE = 'iommufd_ioas_option_huge_pages() in drivers/iommu/iommufd/ioas.c';

export const optionRules = rulesOf(
  { id: 'option', title: 'IOMMU_OPTION', source: RLIMIT },
  {
    reservedField: refuses(
      'EOPNOTSUPP',
      '__reserved is not 0.',
      'iommufd_option() in drivers/iommu/iommufd/main.c',
    ),
    unknownOption: refuses(
      'EOPNOTSUPP',
      'option_id is neither RLIMIT_MODE nor HUGE_PAGES.',
      'iommufd_option() in drivers/iommu/iommufd/main.c',
    ),
    rlimitObject: refuses('EOPNOTSUPP', 'RLIMIT_MODE: object_id is not 0.'),
    rlimitGet: grants(
      'RLIMIT_MODE, GET: val64 returns 1 if maps are charged to the process (VmLck), and 0 if to the user.',
    ),
    rlimitNotPrivileged: refuses('EPERM', 'RLIMIT_MODE, SET: the process lacks CAP_SYS_RESOURCE.'),
    rlimitObjectsExist: refuses('EBUSY', 'RLIMIT_MODE, SET: the iommufd has objects.'),
    rlimitValue: refuses('EINVAL', 'RLIMIT_MODE, SET: val64 is neither 0 nor 1.'),
    rlimitSet: grants(
      'RLIMIT_MODE, SET: later maps are charged to the user (0) or to the process (1).',
    ),
    hugePagesNoIoas: refuses('ENOENT', 'HUGE_PAGES: no IOAS has the id object_id.', HUGE),
    hugePagesGet: grants(
      'HUGE_PAGES, GET: val64 returns 1 if domains may use large pages, and 0 if not.',
      HUGE,
    ),
    hugePagesValue: refuses('EINVAL', 'HUGE_PAGES, SET: val64 is neither 0 nor 1.', HUGE),
    hugePagesOff: grants(
      'HUGE_PAGES, SET to 0: domains map each page by itself from now on, and maps must be page aligned.',
      HUGE,
    ),
    hugePagesOn: grants(
      'HUGE_PAGES, SET to 1: domains may use the largest pages that fit from now on.',
      HUGE,
    ),
    unknownOperation: refuses(
      'EOPNOTSUPP',
      'op is neither SET nor GET.',
      'iommufd_option() in drivers/iommu/iommufd/main.c',
    ),
    replyFault: refuses(
      'EFAULT',
      'val64 cannot be written; the option has been read or set.',
      'iommufd_option() in drivers/iommu/iommufd/main.c',
    ),
  },
);

type OptionValues = Values<typeof IOMMU_OPTION>;

/** A successful operation writes back val64, and no other field. */
const answered = (request: Request, rule: Rule, value: bigint, world: World): Outcome => {
  const answer = write(
    request.world.memory,
    request.call.process,
    addressOf(request, IOMMU_OPTION, 'val64'),
    fieldBytes(fieldOf(IOMMU_OPTION, 'val64'), value),
  );
  return answer.whole
    ? succeeded(rule, world, [answer.write])
    : failed(optionRules.replyFault, world, [answer.write]);
};

const rlimitMode = (request: Request, fields: OptionValues): Outcome => {
  const { world } = request;
  const context = contextOfRequest(request);
  if (fields.object_id !== 0) return failed(optionRules.rlimitObject, world);
  if (fields.op === OPTION_OP_GET) {
    const value = context.accounting === 'process' ? 1n : 0n;
    return answered(request, optionRules.rlimitGet, value, world);
  }
  if (fields.op !== OPTION_OP_SET) return failed(optionRules.unknownOperation, world);
  if (!world.setting.credentials.privileged) {
    return failed(optionRules.rlimitNotPrivileged, world);
  }
  if (context.objects !== undefined) return failed(optionRules.rlimitObjectsExist, world);
  if (fields.val64 > 1n) return failed(optionRules.rlimitValue, world);
  const accounting = fields.val64 === 1n ? 'process' : 'user';
  const after = withContext(world, { ...context, accounting });
  return answered(request, optionRules.rlimitSet, fields.val64, after);
};

const hugePages = (request: Request, fields: OptionValues): Outcome => {
  const { world } = request;
  const context = contextOfRequest(request);
  const ioas = ioasAt(context, fields.object_id);
  if (ioas === undefined) return failed(optionRules.hugePagesNoIoas, world);
  if (fields.op === OPTION_OP_GET) {
    const value = ioas.table.largePagesDisabled ? 0n : 1n;
    return answered(request, optionRules.hugePagesGet, value, world);
  }
  if (fields.op !== OPTION_OP_SET) return failed(optionRules.unknownOperation, world);
  if (fields.val64 > 1n) return failed(optionRules.hugePagesValue, world);
  if (fields.val64 === 1n) {
    const table = withLargePages(context, ioas.table);
    const after = withContext(world, withTable(context, fields.object_id, table));
    return answered(request, optionRules.hugePagesOn, 1n, after);
  }
  const table = withoutLargePages(context, ioas.table);
  if (isRefused(table)) return failedBy(table, world);
  const after = withContext(world, withTable(context, fields.object_id, table));
  return answered(request, optionRules.hugePagesOff, 0n, after);
};

export const option: Handler = (request) => {
  const { world } = request;
  const fields = decode(IOMMU_OPTION, request.bytes);
  if (fields.__reserved !== 0) return [failed(optionRules.reservedField, world)];
  if (fields.option_id === OPTION_RLIMIT_MODE) return [rlimitMode(request, fields)];
  if (fields.option_id === OPTION_HUGE_PAGES) return [hugePages(request, fields)];
  return [failed(optionRules.unknownOption, world)];
};
