/**
 * The catalogue: the kernel's tracepoints of system `huge_memory` with the kernel's names, field order and print forms
 * (khugepaged spec 14.3), and a few events of our own for what the kernel's do not tell.
 *
 * A status or result is the number of a scan result in the emitting generation (khugepaged spec 3); its text comes from
 * the reader's `texts`. An mm is its number in the model; decoders print it in the form of a pointer.
 */
import { type Catalogue, defineEvents } from './catalogue.js';

/** Tracepoints of the kernel. */
export const HUGE_MEMORY_EVENTS = {
  mm_khugepaged_scan_pmd: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'One page table of anonymous memory was looked at.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      scan_pfn: { print: '0x%lx', doc: 'frame looked at last; -1: none' },
      writable: { print: '%d', in: ['v6.13', 'mthp-rfc'], doc: '1: some entry is writable' },
      referenced: { print: '%d', doc: 'entries with signs of recent use' },
      none_or_zero: { print: '%d', doc: 'empty entries and entries of the zero page' },
      status: { print: '%s', doc: 'scan result' },
      unmapped: { print: '%d', doc: 'entries that are swapped out' },
    },
  },
  mm_collapse_huge_page: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'One attempt to collapse ended.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      isolated: { print: '%d', doc: '1: collapsed' },
      status: { print: '%s', doc: 'scan result' },
      order: { print: '%u', in: ['mthp-rfc', 'mthp', 'merged'], doc: 'order of the window' },
    },
  },
  mm_collapse_huge_page_isolate: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'The pages of a window were taken off the LRU, or not all could be.',
    fields: {
      scan_pfn: { print: '0x%lx', doc: 'frame looked at last; -1: none' },
      none_or_zero: { print: '%d', doc: 'empty entries and entries of the zero page' },
      referenced: { print: '%d', doc: 'entries with signs of recent use' },
      writable: { print: '%d', in: ['v6.13', 'mthp-rfc'], doc: '1: some entry is writable' },
      status: { print: '%s', doc: 'scan result' },
      order: { print: '%u', in: ['mthp-rfc', 'mthp', 'merged'], doc: 'order of the window' },
    },
  },
  mm_collapse_huge_page_swapin: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'The swapped-out pages of a window were brought back, or not all could be.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      swapped_in: { print: '%d', doc: 'pages brought back' },
      referenced: { print: '%d', doc: 'entries with signs of recent use' },
      ret: { print: '%d', doc: 'scan result, printed as its number' },
      order: { print: '%u', in: ['mthp-rfc', 'mthp', 'merged'], doc: 'order of the window' },
    },
  },
  mm_khugepaged_scan_file: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'One range of a file was looked at.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      scan_pfn: { print: '0x%lx', doc: 'frame looked at last; -1: none' },
      filename: { print: '%s', doc: 'file, by number' },
      present: { print: '%d', doc: 'pages in the page cache' },
      swap: { print: '%d', doc: 'pages that are swapped out' },
      result: { print: '%s', doc: 'scan result' },
    },
  },
  mm_khugepaged_collapse_file: {
    system: 'huge_memory',
    origin: 'kernel',
    doc: 'One attempt to collapse a range of a file ended.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      hpage_pfn: { print: '0x%lx', doc: 'first frame of the new folio; -1: none' },
      index: { print: '%ld', doc: 'first page of the range in the file' },
      addr: { print: '%lx', doc: 'address of the range' },
      is_shmem: { print: '%d', doc: '1: shared memory' },
      filename: { print: '%s', doc: 'file, by number' },
      nr: { print: '%d', doc: 'pages of the folio' },
      result: { print: '%s', doc: 'scan result' },
    },
  },
  mm_khugepaged_scan: {
    system: 'huge_memory',
    origin: 'kernel',
    in: ['merged'],
    doc: 'One pass of khugepaged used up its budget or came to the end.',
    fields: {
      mm: { print: '%p', doc: 'address space that the pass ended in; 0: none' },
      progress: { print: '%u', doc: 'budget used' },
      full_scan_finished: { print: '%d', doc: '1: the pass came to the end of the list' },
    },
  },
} as const;

/** Events that only this laboratory has: where the kernel's tracepoints leave out what a report must say. */
export const THPLAB_EVENTS = {
  collapse_range: {
    system: 'thplab',
    origin: 'thplab',
    doc: 'A PMD-sized range is done: what the kernel tells only through the return value.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      addr: { print: '0x%lx', doc: 'start of the range' },
      result: { print: '%s', doc: 'scan result of the whole range' },
      collapsed: { print: '%d', doc: 'windows collapsed in it' },
      progress: { print: '%u', doc: 'budget charged for it' },
    },
  },
  collapse_window: {
    system: 'thplab',
    origin: 'thplab',
    doc: 'A window was tried: mm_collapse_huge_page with the address and what the choice was made on.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      addr: { print: '0x%lx', doc: 'start of the window' },
      order: { print: '%u', doc: 'order of the window' },
      occupied: { print: '%d', doc: 'occupied entries of the window' },
      max_none: { print: '%d', doc: 'entries that were allowed to be empty' },
      result: { print: '%s', doc: 'scan result' },
    },
  },
  khugepaged_hint_add: {
    system: 'thplab',
    origin: 'thplab',
    doc: 'A collapse hint was made, or refused.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      addr: { print: '0x%lx', doc: 'start of the range' },
      priority: { print: '%u', doc: '0: the higher' },
      max_order: { print: '%d', doc: 'order of the largest contiguous mapping already present' },
      reason: { print: '%s', doc: 'queued, or why not' },
    },
  },
  khugepaged_hint_drop: {
    system: 'thplab',
    origin: 'thplab',
    doc: 'A collapse hint left the queue, and its range was not looked at.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      addr: { print: '0x%lx', doc: 'start of the range' },
      priority: { print: '%u', doc: '0: the higher' },
      reason: { print: '%s', doc: 'why' },
    },
  },
  khugepaged_hint_drain: {
    system: 'thplab',
    origin: 'thplab',
    doc: 'The range of a collapse hint was looked at.',
    fields: {
      mm: { print: '%p', doc: 'address space' },
      addr: { print: '0x%lx', doc: 'start of the range' },
      priority: { print: '%u', doc: '0: the higher' },
      result: { print: '%s', doc: 'scan result of the whole range' },
      progress: { print: '%u', doc: 'budget charged for it' },
      fail: { print: '%d', doc: 'failures of the drain so far, this one included' },
    },
  },
} as const;

/** All events of this package. */
export type TraceEvents = typeof HUGE_MEMORY_EVENTS & typeof THPLAB_EVENTS;

/** The catalogue of this package's events. */
export const TRACE_EVENTS: Catalogue<TraceEvents> = defineEvents({ ...HUGE_MEMORY_EVENTS, ...THPLAB_EVENTS });
