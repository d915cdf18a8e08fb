/*
 * Kernels of Silt: whole chunks in, whole chunks out; no allocation, no I/O, no global state but the processor's level.
 * Formats/Silt.md is the text that most of them implement (sections 6, 7, 8 and 12). This header has them all; each of
 * those below has one subject.
 *
 * Every kernel has a scalar form; `level` (silt_level.h) chooses the form, and all forms give the same bits.
 * Element buffers are aligned to their element. Coded input must be readable for SILT_PADDING bytes past its end.
 */
#ifndef SILT_KERNELS_H
#define SILT_KERNELS_H

#include "silt_level.h"
#include "silt_status.h"
#include "silt_rans.h"
#include "silt_residual.h"
#include "silt_planes.h"
#include "silt_convert.h"
#include "silt_philox.h"
#include "silt_masks.h"
#include "silt_kept.h"
#include "silt_prediction.h"
#include "silt_low_rank.h"
#include "silt_distance.h"
#include "silt_values.h"
#include "silt_adaptive.h"
#include "silt_layers.h"
#include "silt_layers_backward.h"
#include "silt_distributions.h"
#include "silt_training.h"

#endif
