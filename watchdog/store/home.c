#include "home.h"

#include "rows.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <watchdog/memory.h>
#include <watchdog/time.h>

enum { DATABASE, WAL, LOCK, FILES };

void wd_home_init(struct wd_home *home, const char *directory)
{
	*home = (struct wd_home){
		.directory = wd_copy(directory),
		.database = wd_format("%s/seadog.db", directory),
		.wal = wd_format("%s/seadog.db-wal", directory),
		.lock = wd_format("%s/lock", directory),
		.locked = -1,
	};
}

void wd_home_done(struct wd_home *home)
{
	if (home->locked >= 0)
		close(home->locked);
	free(home->directory);
	free(home->database);
	free(home->wal);
	free(home->lock);
	*home = (struct wd_home){.locked = -1};
}

bool wd_home_make(struct wd_home *home, struct wd_error *error)
{
	if (mkdir(home->directory, 0700) == 0 || errno == EEXIST)
		return true;
	int why = errno;
	wd_fail_errno(error, WD_ERROR_FAILED, "cannot make state directory %s", home->directory);
	errno = why;
	return false;
}

void wd_home_give(const struct wd_home *home, int descriptor)
{
	struct stat owner;
	if (geteuid() == 0 && stat(home->directory, &owner) == 0 && owner.st_uid != 0 &&
	    fchown(descriptor, owner.st_uid, owner.st_gid) < 0)
		return; /* the other user will say so in its own words */
}

static const char *path_of(const struct wd_home *home, int file)
{
	return file == DATABASE ? home->database : file == WAL ? home->wal : home->lock;
}

static void remember(struct wd_home *home, int file)
{
	struct stat now;
	bool there = stat(path_of(home, file), &now) == 0;
	home->files[file].device = there ? now.st_dev : 0;
	home->files[file].inode = there ? now.st_ino : 0;
}

static bool is_as_remembered(const struct wd_home *home, int file)
{
	struct stat now;
	bool there = stat(path_of(home, file), &now) == 0;
	return there ? now.st_dev == home->files[file].device && now.st_ino == home->files[file].inode
		     : home->files[file].inode == 0;
}

bool wd_home_is_astray(const struct wd_home *home)
{
	for (int file = 0; file < FILES; file++)
		if (!is_as_remembered(home, file))
			return true;
	return false;
}

/* The lock. One of the open file description (OFD): it is not lost when some other descriptor of the file is closed,
 * as POSIX locks are, and it can be asked for without being taken, as flock(2) cannot. */

static struct flock whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

static bool refuse(const struct wd_home *home, int descriptor, struct wd_error *error)
{
	char who[128];
	ssize_t length = pread(descriptor, who, sizeof(who) - 1, 0);
	who[length > 0 ? length : 0] = '\0';
	long pid = 0;
	char since[WD_TIME_TEXT] = "";
	if (sscanf(who, "pid %ld\nsince %39s", &pid, since) == 2 && pid > 0)
		return wd_fail(error, WD_ERROR_REFUSED, "state directory %s is in use by seadog, pid %ld, since %s",
			       home->directory, pid, since);
	return wd_fail(error, WD_ERROR_REFUSED, "state directory %s is in use by another seadog", home->directory);
}

bool wd_home_is_free(const struct wd_home *home, struct wd_error *error)
{
	int descriptor = open(home->lock, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return true;
	struct flock other = whole_file(F_WRLCK);
	bool held = fcntl(descriptor, F_OFD_GETLK, &other) == 0 && other.l_type != F_UNLCK;
	if (held)
		refuse(home, descriptor, error);
	close(descriptor);
	return !held;
}

/* For the one who comes second. On a full disk it stays empty, and the lock holds all the same. */
static void sign(int descriptor)
{
	char now[WD_TIME_TEXT], text[128];
	int length = snprintf(text, sizeof(text), "pid %ld\nsince %.19sZ\n", (long)getpid(),
			      wd_stamp_print(wd_stamp_now(), now));
	if (ftruncate(descriptor, 0) == 0 && pwrite(descriptor, text, (size_t)length, 0) == length)
		return;
	(void)!ftruncate(descriptor, 0);
}

/* The file may have been deleted between its opening and its locking: then it locks nothing that a second would find. */
static bool is_still_there(int descriptor, const char *path)
{
	struct stat ours, there;
	return fstat(descriptor, &ours) == 0 && stat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

bool wd_home_lock(struct wd_home *home, struct wd_error *error)
{
	int descriptor = open(home->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (descriptor < 0) {
		int why = errno;
		if (!wd_home_is_free(home, error))
			return false;
		errno = why;
		return wd_fail_errno(error, WD_ERROR_FAILED, "cannot open %s", home->lock);
	}
	wd_home_give(home, descriptor);
	struct flock ours = whole_file(F_WRLCK);
	if (fcntl(descriptor, F_OFD_SETLK, &ours) < 0) {
		bool held = errno == EAGAIN || errno == EACCES;
		bool said = held ? refuse(home, descriptor, error)
				 : wd_fail_errno(error, WD_ERROR_FAILED, "cannot lock %s", home->lock);
		close(descriptor);
		return said;
	}
	if (!is_still_there(descriptor, home->lock)) {
		close(descriptor);
		return wd_fail(error, WD_ERROR_FAILED, "%s was deleted while it was locked", home->lock);
	}
	sign(descriptor);
	if (home->locked >= 0)
		close(home->locked);
	home->locked = descriptor;
	remember(home, LOCK);
	return true;
}

/* The database. */

bool wd_home_is_writable(const struct wd_home *home)
{
	return faccessat(AT_FDCWD, home->directory, W_OK, AT_EACCESS) == 0 &&
	       (faccessat(AT_FDCWD, home->database, W_OK, AT_EACCESS) == 0 || errno == ENOENT);
}

static void sync_directory(const struct wd_home *home)
{
	int descriptor = open(home->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (descriptor < 0)
		return;
	fsync(descriptor); /* where it fails, the rename may be lost in a power cut, and is made again */
	close(descriptor);
}

static bool move_aside(const char *path, const char *aside, const char *suffix, struct wd_error *error)
{
	WD_AUTO_FREE char *from = wd_format("%s%s", path, suffix);
	WD_AUTO_FREE char *to = wd_format("%s%s", aside, suffix);
	if (rename(from, to) == 0 || errno == ENOENT)
		return true;
	return wd_fail_errno(error, WD_ERROR_FAILED, "cannot set %s aside", from);
}

static char *free_name(const struct wd_home *home)
{
	for (unsigned n = 1;; n++) {
		char *name = wd_format("%s.damaged-%u", home->database, n);
		WD_AUTO_FREE char *wal = wd_format("%s-wal", name);
		struct stat there;
		if (lstat(name, &there) < 0 && lstat(wal, &there) < 0)
			return name;
		free(name);
	}
}

/* With its -wal (SQLite would apply it to whatever has that name next) and a -journal, if there is one. */
static bool set_aside(struct wd_home *home, const char *why, struct wd_text *warning, struct wd_error *error)
{
	WD_AUTO_FREE char *aside = free_name(home);
	if (!move_aside(home->database, aside, "-wal", error) ||
	    !move_aside(home->database, aside, "-journal", error) || !move_aside(home->database, aside, "", error))
		return false;
	sync_directory(home);
	wd_text_print(warning, "%s%s is damaged (%s): set aside as %s; memory begins anew", warning->length ? "; " : "",
		      home->database, why, strrchr(aside, '/') + 1);
	return true;
}

static bool make_empty(const struct wd_home *home, const char *path, struct wd_error *error)
{
	int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (descriptor < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "cannot create %s", path);
	wd_home_give(home, descriptor);
	close(descriptor);
	return true;
}

static void clear_away(const char *path)
{
	static const char *const suffixes[] = {"", "-wal", "-journal"};
	for (size_t n = 0; n < sizeof(suffixes) / sizeof(suffixes[0]); n++) {
		WD_AUTO_FREE char *name = wd_format("%s%s", path, suffixes[n]);
		unlink(name);
	}
}

static bool put_in_place(const struct wd_home *home, const char *made, struct wd_error *error)
{
	if (rename(made, home->database) < 0)
		return wd_fail_errno(error, WD_ERROR_FAILED, "cannot create %s", home->database);
	sync_directory(home);
	return true;
}

/* Under another name first: so a file that is empty or has no schema is never one that was merely not finished. */
static bool begin(const struct wd_home *home, struct wd_error *error)
{
	WD_AUTO_FREE char *made = wd_format("%s.new", home->database);
	clear_away(made);
	if (make_empty(home, made, error) && wd_database_create(made, &wd_rows_schema, error) &&
	    put_in_place(home, made, error))
		return true;
	clear_away(made);
	return false;
}

/* A write-ahead log that does not begin like one is skipped by SQLite without a word, and written over. */
static bool is_log(const char *path)
{
	unsigned char head[4] = {0};
	int descriptor = open(path, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return true;
	ssize_t length = read(descriptor, head, sizeof(head));
	close(descriptor);
	static const unsigned char nothing[4] = {0}, magic[3] = {0x37, 0x7f, 0x06};
	return length <= 0 || memcmp(head, nothing, sizeof(nothing)) == 0 || memcmp(head, magic, sizeof(magic)) == 0;
}

static bool keep_garbage(const struct wd_home *home, struct wd_text *warning, struct wd_error *error)
{
	if (is_log(home->wal))
		return true;
	WD_AUTO_FREE char *aside = free_name(home);
	if (!move_aside(home->database, aside, "-wal", error))
		return false;
	wd_text_print(warning, "%s is damaged: set aside as %s-wal; what was remembered last may be missing", home->wal,
		      strrchr(aside, '/') + 1);
	return true;
}

enum there { THERE, MISSING, EMPTY, NO_FILE };

static enum there look(const char *path)
{
	struct stat there;
	if (stat(path, &there) < 0)
		return errno == ENOENT ? MISSING : THERE;
	if (!S_ISREG(there.st_mode))
		return NO_FILE;
	return there.st_size == 0 ? EMPTY : THERE;
}

/* Opens what is there, if it is whole; *ret_state DAMAGED: with the reason in error. */
static enum wd_database_state try(struct wd_home *home, struct wd_database **ret_database, struct wd_text *warning,
				  struct wd_error *error)
{
	switch (look(home->database)) {
	case NO_FILE:
		wd_fail(error, WD_ERROR_FAILED, "%s is not a file", home->database);
		return WD_DATABASE_UNUSABLE;
	case EMPTY:
		wd_fail(error, WD_ERROR_FAILED, "it is empty");
		return WD_DATABASE_DAMAGED;
	case MISSING:
		if (look(home->wal) == THERE) {
			wd_fail(error, WD_ERROR_FAILED, "only its write-ahead log is there");
			return WD_DATABASE_DAMAGED;
		}
		unlink(home->wal);
		if (!begin(home, error))
			return WD_DATABASE_UNUSABLE;
		break;
	case THERE:
		if (!keep_garbage(home, warning, error))
			return WD_DATABASE_UNUSABLE;
	}
	return wd_database_open(home->database, &wd_rows_schema, ret_database, error);
}

enum wd_database_state wd_home_open(struct wd_home *home, struct wd_database **ret_database, struct wd_text *warning,
				    struct wd_error *error)
{
	struct wd_error why = {0};
	enum wd_database_state state = try(home, ret_database, warning, &why);
	if (state == WD_DATABASE_DAMAGED) {
		if (!set_aside(home, why.text, warning, error))
			return WD_DATABASE_UNUSABLE;
		state = try(home, ret_database, warning, &why);
	}
	if (state == WD_DATABASE_OPEN) {
		remember(home, DATABASE);
		remember(home, WAL);
	} else {
		wd_fail(error, WD_ERROR_FAILED, "%s", why.text);
		wd_fail_in(error, "%s", home->database);
	}
	return state;
}

enum wd_database_state wd_home_open_reading(struct wd_home *home, struct wd_database **ret_database,
					    struct wd_error *error)
{
	enum wd_database_state state = wd_database_open_reading(home->database, &wd_rows_schema, ret_database, error);
	if (state != WD_DATABASE_OPEN)
		wd_fail_in(error, "%s", home->database);
	return state;
}

/* A -wal that belonged to the file that is gone must not meet the new one. */
static bool clear_log(const struct wd_home *home)
{
	if (is_as_remembered(home, WAL))
		unlink(home->wal);
	return look(home->wal) == MISSING;
}

/* All that the open database still shows, to the place where its file was. */
static bool rescue(const struct wd_home *home, struct wd_database *database)
{
	WD_AUTO_FREE char *made = wd_format("%s.new", home->database);
	clear_away(made);
	if (make_empty(home, made, NULL) && wd_database_copy(database, made, NULL) && clear_log(home) &&
	    put_in_place(home, made, NULL))
		return true;
	clear_away(made);
	return false;
}

static void leave(struct wd_home *home, struct wd_database *database, struct wd_text *warning)
{
	if (is_as_remembered(home, DATABASE)) {
		wd_database_close(database); /* brings what its log holds into the file */
		return;
	}
	if (look(home->database) != MISSING)
		wd_text_print(warning, "%s was replaced", home->database);
	else if (rescue(home, database))
		wd_text_print(warning, "%s was deleted: written anew from what was open", home->database);
	else
		wd_text_print(warning, "%s was deleted; memory begins anew", home->database);
	wd_database_abandon(database);
}

enum wd_database_state wd_home_return(struct wd_home *home, struct wd_database *database,
				      struct wd_database **ret_database, struct wd_text *warning,
				      struct wd_error *error)
{
	if (!is_as_remembered(home, LOCK) && !(wd_home_make(home, error) && wd_home_lock(home, error))) {
		wd_database_abandon(database);
		return WD_DATABASE_UNUSABLE;
	}
	leave(home, database, warning);
	return wd_home_open(home, ret_database, warning, error);
}
