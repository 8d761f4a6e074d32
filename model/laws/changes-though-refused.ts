// The rules that refuse and yet change the world, each with the reason. Any other refusal leaves everything as it was.

export type Change = { readonly rule: string; readonly reason: string };

const ANSWER_LAST = 'the call is carried out before its answer is written';
const ROOM_FIRST = 'the kernel makes room in memory before it asks the file';

export const CHANGES_THOUGH_REFUSED: readonly Change[] = [
  { rule: 'IOMMU_IOAS_MAP/maps-unanswered', reason: ANSWER_LAST },
  { rule: 'IOMMU_IOAS_MAP_FILE/maps-unanswered', reason: ANSWER_LAST },
  { rule: 'IOMMU_IOAS_COPY/copies-unanswered', reason: ANSWER_LAST },
  { rule: 'IOMMU_IOAS_UNMAP/unmaps-unanswered', reason: ANSWER_LAST },
  { rule: 'VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered', reason: ANSWER_LAST },
  { rule: 'type1 VFIO_IOMMU_UNMAP_DMA/unmaps-unanswered', reason: ANSWER_LAST },
  {
    rule: 'type1 VFIO_IOMMU_UNMAP_DMA/bitmap-unanswered',
    reason: 'the maps before the one in question are gone',
  },
  {
    rule: 'type1 VFIO_IOMMU_DIRTY_PAGES/unanswered',
    reason: 'the bitmaps of the maps before it were told, and its own was moved already',
  },
  { rule: 'IOMMU_OPTION/value-fault', reason: ANSWER_LAST },
  { rule: 'IOMMU_TEST_CMD DIRTY/writes-unanswered', reason: ANSWER_LAST },
  { rule: 'IOMMU_TEST_CMD MOCK_DOMAIN_REPLACE/replaces-unanswered', reason: ANSWER_LAST },
  {
    rule: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT/answer-fault',
    reason: 'the device is detached, also from what it was attached to before the call',
  },
  { rule: 'answering/fault', reason: 'the number of a pin is used up, and nothing is pinned' },
  { rule: "the program's memory/iommufd-private", reason: ROOM_FIRST },
  { rule: "the program's memory/no-page", reason: ROOM_FIRST },
  { rule: 'unmapping/cuts-area', reason: 'the areas before the one in the way are gone' },
  { rule: 'cutting/too-fine', reason: 'the cut behind the range was made before this one' },
  { rule: 'cutting/accessed', reason: 'the cut behind the range was made before this one' },
];
