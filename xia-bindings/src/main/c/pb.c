#include "internal.h"
#include <string.h>

static void put_varint(pb_out *out, uint64_t value) {
  do {
    if (out->length >= out->capacity) {
      out->overflow = true;
      return;
    }
    uint8_t byte = value & 0x7f;
    value >>= 7;
    out->data[out->length++] = byte | (value != 0 ? 0x80 : 0);
  } while (value != 0);
}

void pb_int(pb_out *out, int field, int64_t value) {
  put_varint(out, (uint64_t)field << 3);
  put_varint(out, (uint64_t)value);
}

void pb_begin(pb_out *out, int field, size_t length) {
  put_varint(out, (uint64_t)field << 3 | 2);
  put_varint(out, length);
}

void pb_bytes(pb_out *out, int field, const void *data, size_t length) {
  pb_begin(out, field, length);
  if (out->overflow || length > out->capacity - out->length) {
    out->overflow = true;
    return;
  }
  if (length > 0) {
    memcpy(out->data + out->length, data, length);
  }
  out->length += length;
}

void pb_text(pb_out *out, int field, const char *text) { pb_bytes(out, field, text, strlen(text)); }

static bool get_varint(pb_in *in, uint64_t *value) {
  *value = 0;
  for (int shift = 0; shift < 64 && in->at < in->end; shift += 7) {
    uint8_t byte = *in->at++;
    *value |= (uint64_t)(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      return true;
    }
  }
  return false;
}

bool pb_next(pb_in *in, pb_field *field) {
  uint64_t key;
  uint64_t length;
  if (in->at >= in->end || !get_varint(in, &key)) {
    return false;
  }
  memset(field, 0, sizeof *field);
  field->field = (int)(key >> 3);
  field->wire = (int)(key & 7);
  switch (field->wire) {
    case 0:
      return get_varint(in, &field->number);
    case 1:
      length = 8;
      break;
    case 2:
      if (!get_varint(in, &length)) {
        return false;
      }
      break;
    case 5:
      length = 4;
      break;
    default:
      return false;
  }
  if (length > (uint64_t)(in->end - in->at)) {
    return false;
  }
  field->data = in->at;
  field->length = length;
  in->at += length;
  return true;
}

bool pb_find(pb_in in, int number, pb_field *field) {
  while (pb_next(&in, field)) {
    if (field->field == number) {
      return true;
    }
  }
  return false;
}
