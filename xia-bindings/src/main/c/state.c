#include "internal.h"
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define FDS_MAX 65536

static pthread_mutex_t table_lock = PTHREAD_MUTEX_INITIALIZER;
static xsocket *table[FDS_MAX];

static void free_state(xsocket *s) {
  while (s->early_first != NULL) {
    packet *next = s->early_first->next;
    free(s->early_first);
    s->early_first = next;
  }
  free(s->left);
  pthread_mutex_destroy(&s->reading);
  pthread_mutex_destroy(&s->lock);
  pthread_mutex_destroy(&s->credit_lock);
  pthread_mutex_destroy(&s->sending);
  if (s->credit_fd >= 0) {
    close(s->credit_fd);
  }
  free(s);
}

/* A record is freed by whoever lets go of it last, so that a close in one thread leaves another's call whole. */
static void release(xsocket *s) {
  pthread_mutex_lock(&table_lock);
  bool last = --s->users == 0 && s->closed;
  pthread_mutex_unlock(&table_lock);
  if (last) {
    free_state(s);
  }
}

static void detach(int fd) {
  xsocket *s = table[fd];
  table[fd] = NULL;
  if (s != NULL) {
    s->closed = true;
    if (s->users == 0) {
      free_state(s);
    }
  }
}

int state_add(int fd, int type) {
  if (fd < 0 || fd >= FDS_MAX) {
    errno = EMFILE;
    return -1;
  }
  xsocket *s = calloc(1, sizeof *s);
  if (s == NULL) {
    errno = ENOMEM;
    return -1;
  }
  s->type = type;
  pthread_mutex_init(&s->reading, NULL);
  pthread_mutex_init(&s->lock, NULL);
  pthread_mutex_init(&s->credit_lock, NULL);
  pthread_mutex_init(&s->sending, NULL);
  s->credit_fd = -1;
  pthread_mutex_lock(&table_lock);
  detach(fd); /* the descriptor's former owner closed it behind our back */
  table[fd] = s;
  pthread_mutex_unlock(&table_lock);
  return 0;
}

xsocket *state_hold(int fd) {
  xsocket *s = NULL;
  if (fd >= 0 && fd < FDS_MAX) {
    pthread_mutex_lock(&table_lock);
    s = table[fd];
    if (s != NULL) {
      s->users++;
    }
    pthread_mutex_unlock(&table_lock);
  }
  if (s == NULL) {
    errno = EBADF;
  }
  return s;
}

void state_release(xsocket *s) {
  int error = errno;
  release(s);
  errno = error;
}

xsocket *state_lock(int fd) {
  xsocket *s = state_hold(fd);
  if (s != NULL) {
    pthread_mutex_lock(&s->lock);
  }
  return s;
}

void state_unlock(xsocket *s) {
  pthread_mutex_unlock(&s->lock);
  state_release(s);
}

xsocket *state_read(int fd) {
  xsocket *s = state_hold(fd);
  if (s != NULL) {
    pthread_mutex_lock(&s->reading);
    pthread_mutex_lock(&s->lock);
  }
  return s;
}

void state_end_read(xsocket *s) {
  pthread_mutex_unlock(&s->lock);
  pthread_mutex_unlock(&s->reading);
  state_release(s);
}

void state_interrupt(int fd) {
  xsocket *s = state_hold(fd);
  if (s != NULL) {
    s->closing = true;
    state_release(s);
  }
}

void state_remove(int fd) {
  if (fd < 0 || fd >= FDS_MAX) {
    return;
  }
  pthread_mutex_lock(&table_lock);
  detach(fd);
  pthread_mutex_unlock(&table_lock);
}

bool state_has_data(int fd) {
  bool has = false;
  if (fd >= 0 && fd < FDS_MAX) {
    pthread_mutex_lock(&table_lock);
    const xsocket *s = table[fd];
    has = s != NULL && (s->early_first != NULL || s->left != NULL || s->ended);
    pthread_mutex_unlock(&table_lock);
  }
  return has;
}
